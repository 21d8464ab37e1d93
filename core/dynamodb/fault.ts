/** Why a record cannot be captured: a stable word, for counts. */
export type FaultKind =
  | 'not-json'
  | 'truncated'
  | 'not-a-record'
  | 'no-keys'
  | 'key-type'
  | 'no-image'
  | 'unknown-type'
  | 'bad-number'
  | 'bad-binary'
  | 'lone-surrogate'
  | 'too-deep'
  | 'bad-sequence'
  | 'other-table';

/** A record that cannot be captured. It is set aside with this message, and nothing waits for it. */
export class RecordFault extends Error {
  readonly kind: FaultKind;

  constructor(kind: FaultKind, message: string) {
    super(message);
    this.name = 'RecordFault';
    this.kind = kind;
  }
}
