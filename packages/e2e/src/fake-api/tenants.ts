/** What the fake API knows of a demo business: enough to greet and to answer a few questions with a source. */
export interface FakeTenant {
  tenantId: string;
  displayName: string;
  primaryColor: string;
  locale: string;
  greeting: string;
  aiDisclosure: string;
  suggestions: string[];
  answers: { asks: RegExp; id: string; title: string; text: string }[];
  unknown: string;
  handoff: string;
}

export const TENANTS: FakeTenant[] = [
  {
    tenantId: 'andina',
    displayName: 'Clínica Andina',
    primaryColor: '#12807A',
    locale: 'es-CL',
    greeting:
      '¡Hola! Soy el asistente virtual de Clínica Andina 🦷 Puedo ayudarte a pedir, cambiar o anular una hora y a resolver dudas de tratamientos, precios y seguros. ¿Qué necesitas?',
    aiDisclosure: 'Conversas con un asistente de inteligencia artificial. Puede equivocarse; si quieres, te atiende una persona.',
    suggestions: ['¿Cuál es el horario de la clínica?', '¿Cuánto cuesta una limpieza?', 'Quiero pedir una hora'],
    answers: [
      {
        asks: /horario|atienden|sábado/i,
        id: 'horario',
        title: '¿Cuál es el horario de la clínica?',
        text: 'Atendemos con hora reservada:\n\n- **Lunes a viernes:** 9:00 a 13:30 y 14:30 a 19:30\n- **Sábado:** 9:30 a 13:30\n- **Domingo:** cerrado\n\n¿Te busco una hora?',
      },
      {
        asks: /limpieza/i,
        id: 'limpieza-dental',
        title: 'Limpieza dental',
        text: 'La **limpieza dental** cuesta **$38.000** y dura 45 minutos. Incluye ultrasonido, pulido y flúor. Puedes reservarla en [nuestra agenda](https://clinicaandina.example/reservas).',
      },
    ],
    unknown: 'De eso no tengo información confirmada. Si quieres, te paso con una persona del equipo.',
    handoff: 'Te paso con una persona del equipo. En un momento te responde.',
  },
  {
    tenantId: 'verde-cafe',
    displayName: 'Verde Café',
    primaryColor: '#2E7D4F',
    locale: 'pt-BR',
    greeting:
      'Oi! Aqui é o assistente virtual do Verde Café 🌿 Posso reservar sua mesa, tirar dúvidas do cardápio e do delivery ou montar um orçamento de catering. Como posso ajudar?',
    aiDisclosure: 'Você conversa com um assistente de inteligência artificial. Ele pode errar; se preferir, chame uma pessoa.',
    suggestions: ['Qual é o horário de funcionamento?', 'Posso levar meu cachorro?'],
    answers: [
      {
        asks: /hor[áa]rio/i,
        id: 'horario',
        title: 'Qual é o horário de funcionamento?',
        text: 'De terça a quinta das 11:30 às 15:30 e das 18:30 às 22:30; sexta e sábado até 23:30. Domingo tem brunch, das 10:00 às 17:00. Segunda fechamos.',
      },
      {
        asks: /cachorro|pet/i,
        id: 'varanda-pets',
        title: 'Posso levar meu cachorro?',
        text: 'Pode, sim! 🐶 Na **varanda**, com guia.',
      },
    ],
    unknown: 'Isso eu não sei confirmar. Posso chamar alguém da equipe?',
    handoff: 'Vou chamar uma pessoa da equipe.',
  },
  {
    tenantId: 'northwind-bikes',
    displayName: 'Northwind Bikes',
    primaryColor: '#1F3A5F',
    locale: 'en-US',
    greeting:
      "Hi! I'm Northwind Bikes' virtual assistant. I can book a repair or a test ride, help you find the right bike or part, and answer questions about returns and warranty. What's up?",
    aiDisclosure: 'You are chatting with an AI assistant. It can be wrong; you can ask for a person at any time.',
    suggestions: ['What are your hours?', 'Do you repair bikes bought elsewhere?'],
    answers: [
      {
        asks: /hours|open/i,
        id: 'hours',
        title: 'What are your hours?',
        text: 'We are open **Tuesday to Friday 10:00–18:30** (lunch break 13:00–13:45), Saturday 9:30–17:00 and Sunday 11:00–16:00. Closed on Mondays.',
      },
      { asks: /elsewhere|brand/i, id: 'other-brands', title: 'Do you repair bikes bought elsewhere?', text: 'Yes, we repair all brands.' },
    ],
    unknown: 'I could not find that. Shall I get someone from the shop?',
    handoff: 'I am getting someone from the shop.',
  },
  {
    tenantId: 'colombiatic',
    displayName: 'Colombiatic',
    primaryColor: '#0B4F9E',
    locale: 'es-CO',
    greeting:
      '¡Hola! Soy el asistente virtual de Colombiatic. Le ayudo con sitios web, chatbots, nube, SEO y soporte, o le agendo una asesoría gratuita. ¿En qué le colaboro?',
    aiDisclosure: 'Usted conversa con un asistente de inteligencia artificial. Puede equivocarse; si lo prefiere, le atiende una persona.',
    suggestions: ['¿Cuál es el horario de atención?', '¿La asesoría inicial tiene costo?'],
    answers: [
      {
        asks: /horario/i,
        id: 'horario',
        title: '¿Cuál es el horario de atención?',
        text: 'De lunes a jueves de 8:00 a 12:30 y de 13:30 a 18:00, los viernes hasta las 17:00 y los sábados de 9:00 a 13:00.',
      },
      { asks: /asesor/i, id: 'asesoria-costo', title: '¿La asesoría inicial tiene costo?', text: 'No, la asesoría inicial es **gratuita** y dura 45 minutos.' },
    ],
    unknown: 'Eso no lo tengo confirmado. ¿Le comunico con una persona?',
    handoff: 'Le comunico con una persona del equipo.',
  },
];

export const publicKeyOf = (tenantId: string): string => `pk_test_${tenantId.replace(/\W/g, '')}_0000000000000000`;
