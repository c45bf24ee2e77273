/**
 * A language tag as the server takes it: `es_CL` becomes `es-CL`, extensions are cut off. Undefined for what is no tag, so that
 * the server chooses by itself: a page's `lang` is often written by hand, and a typing error there must not cost the chat.
 */
export function localeOf(tag: string | undefined): string | undefined {
  try {
    // One to three subtags in practice; the server takes languages of two or three letters and 35 characters in all.
    return /^[a-z]{2,3}(-.{1,31})?$/.exec(new Intl.Locale((tag ?? '').trim().replace(/_/g, '-')).baseName)?.[0];
  } catch {
    return undefined;
  }
}
