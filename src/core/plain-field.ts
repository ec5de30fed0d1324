/** What rows can be chosen and ordered by. */
export type Plain = string | number | boolean | null | undefined;

/** The fields of a row that hold plain values only: those that a query may name. */
export type PlainField<Row> = Row extends unknown
  ? { [Field in keyof Row & string]-?: Row[Field] extends Plain ? Field : never }[keyof Row & string]
  : never;
