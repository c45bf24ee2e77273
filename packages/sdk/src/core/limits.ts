/** Characters the server takes in one message. */
export const LONGEST_TEXT = 4000;

/** How long a text is for the server: in characters, of which an emoji may be several but never half a one. */
export const lengthOf = (text: string): number => Array.from(text).length;
