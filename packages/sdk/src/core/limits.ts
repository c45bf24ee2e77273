/** Characters the server takes in one message. */
export const LONGEST_TEXT = 4000;
