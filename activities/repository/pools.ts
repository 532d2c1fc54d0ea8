/** The directories of a repository that hold packages and nothing else; that of debug packages where they are apart. */
export const poolsOf = { deb: ['pool'], rpm: ['Packages', 'debug/Packages'] } as const;
