import type { Mirror } from '../config.ts';
import { pathText } from './mistakes.ts';

/** What the targets call what belongs to one mirrored table, besides the table itself. */
export const DERIVED_SUFFIXES = ['__changes', '_live', '_history'] as const;

/** Every name that a table brings into the lakehouse and the warehouse. */
export function namesOf(table: string): readonly string[] {
  return [table, ...DERIVED_SUFFIXES.map((suffix) => table + suffix)];
}

/** The mistakes of a configuration whose parts are right each for itself, but not together. */
export function clashesOf(mirror: Mirror): string[] {
  return [...sourceClashes(mirror), ...nameClashes(mirror), ...schemaClashes(mirror), ...columnCounts(mirror)];
}

function sourceClashes(mirror: Mirror): string[] {
  const seen = new Map<string, string>();
  return mirror.tables.flatMap((table) => {
    const other = seen.get(table.from);
    seen.set(table.from, other ?? table.name);
    if (other === undefined) return [];
    return [
      `${pathText(['tables', table.name, 'from'])}: ${JSON.stringify(table.from)} is mirrored by tables.${other} already; remove one of the two`,
    ];
  });
}

function nameClashes(mirror: Mirror): string[] {
  const owners = new Map<string, string>();
  return mirror.tables.flatMap((table) =>
    namesOf(table.name).flatMap((name) => {
      const other = owners.get(name);
      owners.set(name, other ?? table.name);
      if (other === undefined) return [];
      return [
        `tables.${table.name}: the name ${JSON.stringify(name)} also comes from tables.${other} (Glasshouse adds ${DERIVED_SUFFIXES.join(', ')}); rename one of the two`,
      ];
    }),
  );
}

function schemaClashes(mirror: Mirror): string[] {
  if (mirror.targets.warehouse?.schema !== `${mirror.name}_base`) return [];
  return [
    `targets.warehouse.schema: ${JSON.stringify(mirror.targets.warehouse.schema)} is where the mirror ${mirror.name} keeps its base tables; choose another schema for the views`,
  ];
}

function columnCounts(mirror: Mirror): string[] {
  return mirror.tables.flatMap((table) => {
    const fixed = new Set([...Object.keys(table.columns), ...(table.key ?? []).map((part) => part.attribute)]);
    if (fixed.size <= table.maxColumns) return [];
    return [
      `tables.${table.name}.maxColumns: ${table.maxColumns} is less than the ${fixed.size} columns of the key and the declaration; raise it or declare fewer`,
    ];
  });
}
