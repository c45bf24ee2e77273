/**
 * The page's document as the browser made it. Whoever gets HTML into a page, without any script, hides members of `document`
 * behind elements: `<img name="currentScript">` is what `document.currentScript` then gives. Here each member comes from
 * where no element reaches.
 */
export const page = new Proxy({} as Document, {
  get: (_, name) => {
    const member: unknown = Reflect.get(Document.prototype, name, document);
    return typeof member === 'function' ? (member.bind(document) as unknown) : member;
  },
});
