/** An object of a message, none of whose fields need be what they should be. */
export type Fields = Record<string, unknown>;

/** The objects of what should be a list of them. */
export const objectsOf = (value: unknown): Fields[] =>
  Array.isArray(value) ? value.filter((one): one is Fields => typeof one === 'object' && one !== null) : [];

/** A text, if it says something. */
export const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value.trim() ? value : undefined);

/** The texts of what should be a list of them. */
export const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.map(textOf).filter((text) => text !== undefined) : [];
