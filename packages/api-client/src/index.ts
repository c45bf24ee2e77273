export { type Answer, type ClientOptions, MisyClient } from './client.js';
export { MisyProblem, type ProblemCode, UnexpectedAnswer } from './problem.js';
export { bearer, type Outgoing, type Proof, publishableKey, session, signedToken, tenantSecret } from './proof.js';
export type { Data, DataId, Input, Item, ListId, OperationId, Schemas, TextId } from './types.js';
export { OPERATIONS } from './generated/operations.js';
