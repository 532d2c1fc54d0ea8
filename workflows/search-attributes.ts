import { defineSearchAttributeKey, type SearchAttributePair, SearchAttributeType } from '@temporalio/common';

/** The search attributes of every workflow: typed in one place, stored in plain text, so never anything secret. */
export const searchAttributes = {
  tenant: defineSearchAttributeKey('SluiceTenant', SearchAttributeType.KEYWORD),
  pipeline: defineSearchAttributeKey('SluicePipeline', SearchAttributeType.KEYWORD),
  queue: defineSearchAttributeKey('SluiceQueue', SearchAttributeType.KEYWORD),
  project: defineSearchAttributeKey('SluiceProject', SearchAttributeType.KEYWORD),
  change: defineSearchAttributeKey('SluiceChange', SearchAttributeType.KEYWORD),
  job: defineSearchAttributeKey('SluiceJob', SearchAttributeType.KEYWORD),
  result: defineSearchAttributeKey('SluiceResult', SearchAttributeType.KEYWORD),
  label: defineSearchAttributeKey('SluiceLabel', SearchAttributeType.KEYWORD),
} as const;

/** The pairs for the values given, in the order of the table. */
export function attributes(
  values: Readonly<Partial<Record<keyof typeof searchAttributes, string>>>,
): SearchAttributePair[] {
  return Object.entries(searchAttributes).flatMap(([name, key]) => {
    const value = values[name as keyof typeof searchAttributes];
    return value === undefined ? [] : [{ key, value }];
  });
}
