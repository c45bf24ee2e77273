/** What is said of files on their way. They come with what needs them, in all languages: a chat without files has none of them. */
const en = {
  attachments: 'Files to be sent',
  remove: 'Remove {name}',
  uploading: 'Uploading {name}',
  uploaded: '{name} is ready to be sent',
  tooLarge: '{name} is too large.',
  notTaken: 'Files like {name} cannot be sent.',
  noRoom: 'There is no room for {name} right now.',
  notUploaded: '{name} could not be uploaded.',
  tooMany: 'At most {n} files at once.',
};

export type Words = typeof en;

const WORDS: Record<string, Words> = {
  en,
  es: {
    attachments: 'Archivos por enviar',
    remove: 'Quitar {name}',
    uploading: 'Subiendo {name}',
    uploaded: '{name} está listo para enviar',
    tooLarge: '{name} es demasiado grande.',
    notTaken: 'No se pueden enviar archivos como {name}.',
    noRoom: 'Ahora no hay espacio para {name}.',
    notUploaded: 'No se pudo subir {name}.',
    tooMany: 'Como máximo {n} archivos a la vez.',
  },
  pt: {
    attachments: 'Arquivos a enviar',
    remove: 'Remover {name}',
    uploading: 'Enviando {name}',
    uploaded: '{name} está pronto para enviar',
    tooLarge: '{name} é grande demais.',
    notTaken: 'Não é possível enviar arquivos como {name}.',
    noRoom: 'Não há espaço para {name} agora.',
    notUploaded: 'Não foi possível enviar {name}.',
    tooMany: 'No máximo {n} arquivos de uma vez.',
  },
  ar: {
    attachments: 'ملفات للإرسال',
    remove: 'أزل {name}',
    uploading: 'جارٍ رفع {name}',
    uploaded: '{name} جاهز للإرسال',
    tooLarge: '{name} كبير جدًا.',
    notTaken: 'لا يمكن إرسال ملفات مثل {name}.',
    noRoom: 'لا مكان لـ {name} الآن.',
    notUploaded: 'تعذّر رفع {name}.',
    tooMany: '{n} ملفات على الأكثر في المرة الواحدة.',
  },
};

/** The words for a locale; English when its language is not one of ours. */
export const wordsFor = (locale: string): Words => WORDS[locale.slice(0, 2).toLowerCase()] ?? en;
