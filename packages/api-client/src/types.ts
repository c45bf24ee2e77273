import type { components, operations } from './generated/schema.js';

/** What travels, by the names of the description: `Schemas['Tenant']`. */
export type Schemas = components['schemas'];

/** The name of an operation, such as `createKey`. */
export type OperationId = keyof operations;

type Parameters<O extends OperationId> = operations[O]['parameters'];
type Place<O extends OperationId, P extends 'path' | 'query' | 'header'> = Parameters<O> extends Partial<Record<P, infer T>>
  ? NonNullable<T>
  : never;

type Body<O extends OperationId> = operations[O] extends { requestBody: { content: { 'application/json': infer T } } }
  ? T
  : never;
type PossibleBody<O extends OperationId> = operations[O] extends {
  requestBody?: { content: { 'application/json': infer T } };
}
  ? T
  : never;

/** A member that is needed, may be given or cannot be, as the operation has it. */
type Member<Name extends string, T> = [T] extends [never]
  ? Partial<Record<Name, never>>
  : Partial<T> extends T
    ? Partial<Record<Name, T>>
    : Record<Name, T>;

type HeaderMember<O extends OperationId, Header extends string, Name extends string> =
  Place<O, 'header'> extends infer H
    ? [H] extends [never]
      ? Partial<Record<Name, never>>
      : Header extends keyof H
        ? Partial<Record<Name, string>>
        : Partial<Record<Name, never>>
    : never;

type BodyMember<O extends OperationId> = [Body<O>] extends [never]
  ? Member<'body', Partial<PossibleBody<O>>>
  : { body: Body<O> };

/** What an operation is called with. */
export type Input<O extends OperationId> = Member<'path', Place<O, 'path'>> &
  Member<'query', Place<O, 'query'>> &
  BodyMember<O> &
  HeaderMember<O, 'Idempotency-Key', 'idempotencyKey'> &
  HeaderMember<O, 'If-Match', 'ifMatch'> &
  HeaderMember<O, 'X-Misy-Reason', 'reason'> & {
    /** Gives up when it is aborted. */
    signal?: AbortSignal;
  };

/** Nothing, where everything may be left out. */
export type Arguments<O extends OperationId> = Partial<Input<O>> extends Input<O> ? [input?: Input<O>] : [input: Input<O>];

type Good = 200 | 201 | 202;
type Answers<O extends OperationId> = operations[O]['responses'];
type Contents<O extends OperationId> = Answers<O>[keyof Answers<O> & Good] extends infer A
  ? A extends { content: infer C }
    ? C
    : never
  : never;

/** What an operation answers in JSON; `undefined` if it answers nothing, which some do now and then. */
export type Data<O extends OperationId> = [Contents<O>] extends [never]
  ? undefined
  : Contents<O> extends { 'application/json': infer T }
    ? T | (204 extends keyof Answers<O> ? undefined : never)
    : never;

/** Operations that can answer in another form than JSON: tables, notes, exports, streams. */
export type TextId = {
  [O in OperationId]: Exclude<keyof Contents<O>, 'application/json'> extends never ? never : O;
}[OperationId];

/** Operations that answer JSON or nothing. */
export type DataId = { [O in OperationId]: [Data<O>] extends [never] ? never : O }[OperationId];

interface PageOf<T> {
  items: T[];
  nextCursor?: string | null;
}

/** Operations that answer a page of a list. */
export type ListId = { [O in DataId]: Data<O> extends PageOf<unknown> ? O : never }[DataId];

/** One of a list. */
export type Item<O extends ListId> = Data<O> extends PageOf<infer T> ? T : never;
