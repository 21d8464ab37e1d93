import type { ColumnType } from './column.ts';
import { DEFAULT_DECIMAL } from './column.ts';
import type { AttributeTag } from './dynamodb/attribute-value.ts';
import type { WantedColumn } from './schema.ts';

/** A value of an attribute that the schema does not know. NULL is never among them: it says nothing about a type. */
export interface SeenAttribute {
  readonly attribute: string;
  readonly tag: AttributeTag;
}

/** The columns that would hold what was seen, sorted by attribute, so that no order of records decides anything. */
export function wantedColumns(seen: Iterable<SeenAttribute>): WantedColumn[] {
  const tags = new Map<string, Set<AttributeTag>>();
  for (const { attribute, tag } of seen) {
    const known = tags.get(attribute);
    if (known) known.add(tag);
    else tags.set(attribute, new Set([tag]));
  }
  return [...tags]
    .map(([attribute, kinds]) => ({ attribute, type: inferType(kinds) }))
    .sort((a, b) => (a.attribute < b.attribute ? -1 : 1));
}

/** The join of the types of all values seen: S with anything is `string`, other mixtures are `json`. */
export function inferType(tags: ReadonlySet<AttributeTag>): ColumnType {
  if (tags.has('S')) return { kind: 'string' };
  if (tags.size > 1) return { kind: 'json' };
  if (tags.has('N')) return DEFAULT_DECIMAL;
  if (tags.has('BOOL')) return { kind: 'boolean' };
  if (tags.has('B')) return { kind: 'binary' };
  return { kind: 'json' };
}
