/** What is said of rich parts. They come with what needs them, in all languages: a chat in plain words has none of them. */
const en = {
  choices: 'Choices',
  chosen: 'chosen',
  cards: 'Cards',
  details: 'More about it',
  map: 'See on a map',
  audio: 'Sound',
  video: 'Video',
};

export type Words = typeof en;

const WORDS: Record<string, Words> = {
  en,
  es: {
    choices: 'Opciones',
    chosen: 'elegido',
    cards: 'Fichas',
    details: 'Más información',
    map: 'Ver en un mapa',
    audio: 'Sonido',
    video: 'Vídeo',
  },
  pt: {
    choices: 'Opções',
    chosen: 'escolhido',
    cards: 'Cartões',
    details: 'Saiba mais',
    map: 'Ver no mapa',
    audio: 'Áudio',
    video: 'Vídeo',
  },
  ar: {
    choices: 'الخيارات',
    chosen: 'تم اختياره',
    cards: 'بطاقات',
    details: 'المزيد',
    map: 'عرض على الخريطة',
    audio: 'صوت',
    video: 'فيديو',
  },
};

/** The words for a locale; English when its language is not one of ours. */
export const wordsFor = (locale: string): Words => WORDS[locale.slice(0, 2).toLowerCase()] ?? en;
