/** A row of docs/unverified.md. */
export interface Claim {
  readonly id: string;
  readonly claim: string;
}

const ROW = /^\| `([a-z0-9-]+)` \| (.+?) \| .+ \|$/;

/** The claims that a document's tables list, in their order: a table's first column is the id in backquotes. */
export function claimsOf(document: string): Claim[] {
  return document.split('\n').flatMap((line) => {
    const [, id, claim] = ROW.exec(line) ?? [];
    return id === undefined || claim === undefined ? [] : [{ id, claim }];
  });
}
