import { constantOf, keywordOf, type SchemaNode, typeNames } from './schema-node.ts';

interface Bound {
  readonly value: number;
  /** Whether the value itself is left out. */
  readonly isOpen: boolean;
}

/** Whether every number that the facts allow is whole. */
export function isWhole(facts: readonly SchemaNode[]): boolean {
  const constant = constantOf(facts);
  if (constant !== undefined) return Number.isInteger(constant.value);
  return facts.some((fact) => {
    const names = typeNames(fact);
    return (names?.includes('integer') && !names.includes('number')) || Number.isInteger(keywordOf(fact, 'multipleOf'));
  });
}

/** What of the new schema's number keywords does not hold for every number that the facts allow. */
export function compareNumbers(facts: readonly SchemaNode[], node: SchemaNode): readonly string[] {
  const problems: string[] = [];
  for (const side of [1, -1]) {
    const known = boundOf(facts, side);
    for (const [keyword, isOpen] of boundKeywords(side)) {
      const wanted = keywordOf(node, keyword);
      if (wanted === undefined) continue;
      const inside =
        typeof wanted === 'number' &&
        known !== undefined &&
        (side * known.value > side * wanted || (known.value === wanted && (!isOpen || known.isOpen)));
      if (!inside) problems.push(`${boundText(known, side)}, ${isBoundText(wanted, isOpen, side)}`);
    }
  }
  const step = keywordOf(node, 'multipleOf');
  if (step !== undefined && !facts.some((fact) => isStepOf(keywordOf(fact, 'multipleOf'), step))) {
    const isCovered = (step === 1 && isWhole(facts)) || isStepOf(constantOf(facts)?.value, step);
    if (!isCovered) problems.push(`must be a multiple of ${String(step)} now`);
  }
  return problems;
}

/** What of the new schema's string keywords does not hold for every string that the facts allow. */
export function compareStrings(facts: readonly SchemaNode[], node: SchemaNode): readonly string[] {
  const problems: string[] = [];
  const text = constantOf(facts)?.value;
  // Validators count differently (code points, code units): a listed value must fit by both counts.
  const lengths = typeof text === 'string' ? [text.length, [...text].length] : [];
  const least = Math.max(0, ...numbersOf(facts, 'minLength'), ...(lengths.length > 0 ? [Math.min(...lengths)] : []));
  const most = Math.min(...numbersOf(facts, 'maxLength'), ...(lengths.length > 0 ? [Math.max(...lengths)] : []));
  const minLength = keywordOf(node, 'minLength');
  const maxLength = keywordOf(node, 'maxLength');
  if (minLength !== undefined && !(least >= Number(minLength))) {
    problems.push(`had ${least} characters or more, has ${String(minLength)} or more now`);
  }
  if (maxLength !== undefined && !(most <= Number(maxLength))) {
    const before = most === Number.POSITIVE_INFINITY ? 'any number of characters' : `at most ${most} characters`;
    problems.push(`had ${before}, has at most ${String(maxLength)} now`);
  }
  const pattern = keywordOf(node, 'pattern');
  if (pattern !== undefined && !facts.some((fact) => keywordOf(fact, 'pattern') === pattern)) {
    const fits = typeof text === 'string' && typeof pattern === 'string' && matches(pattern, text) === true;
    if (!fits) problems.push(`must match another pattern now: ${String(pattern)}`);
  }
  const format = keywordOf(node, 'format');
  if (format !== undefined && !facts.some((fact) => keywordOf(fact, 'format') === format)) {
    problems.push(`must have the format "${String(format)}" now`);
  }
  return problems;
}

/** Whether a text matches; undefined where the pattern is none that can be run here. */
export function matches(pattern: string, text: string): boolean | undefined {
  try {
    return new RegExp(pattern, 'u').test(text);
  } catch {
    return undefined;
  }
}

export function numbersOf(facts: readonly SchemaNode[], keyword: string): readonly number[] {
  return facts.map((fact) => keywordOf(fact, keyword)).filter((value) => typeof value === 'number');
}

function boundKeywords(side: number): readonly (readonly [keyword: string, isOpen: boolean])[] {
  return side === 1
    ? [
        ['minimum', false],
        ['exclusiveMinimum', true],
      ]
    : [
        ['maximum', false],
        ['exclusiveMaximum', true],
      ];
}

/** The narrowest bound that the facts give: the lower one for side 1, the upper one for side −1. */
function boundOf(facts: readonly SchemaNode[], side: number): Bound | undefined {
  const constant = constantOf(facts)?.value;
  const bounds: Bound[] = typeof constant === 'number' ? [{ value: constant, isOpen: false }] : [];
  for (const [keyword, isOpen] of boundKeywords(side)) {
    for (const value of numbersOf(facts, keyword)) bounds.push({ value, isOpen });
  }
  const [narrowest] = bounds.sort((a, b) => side * (b.value - a.value) || Number(b.isOpen) - Number(a.isOpen));
  if (narrowest === undefined || !isWhole(facts)) return narrowest;
  // A whole number above 3 is 4 or more.
  const whole = side === 1 ? Math.ceil(narrowest.value) : Math.floor(narrowest.value);
  const isOut = narrowest.isOpen && whole === narrowest.value;
  return { value: isOut ? whole + side : whole, isOpen: false };
}

function isStepOf(step: unknown, of: unknown): boolean {
  if (step === of) return typeof step === 'number';
  return Number.isInteger(step) && Number.isInteger(of) && Number(step) % Number(of) === 0;
}

function boundText(bound: Bound | undefined, side: number): string {
  if (bound === undefined) return side === 1 ? 'had no lower bound' : 'had no upper bound';
  return `was ${comparison(bound.isOpen, side)} ${bound.value}`;
}

function isBoundText(value: unknown, isOpen: boolean, side: number): string {
  return `is ${comparison(isOpen, side)} ${String(value)} now`;
}

function comparison(isOpen: boolean, side: number): string {
  if (side === 1) return isOpen ? 'more than' : 'at least';
  return isOpen ? 'less than' : 'at most';
}
