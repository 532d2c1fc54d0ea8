/** A jar that Maven Central has, and its digest. */
export interface GerritArtifact {
  readonly name: string;
  readonly sha256: string;
}

export interface GerritVersion {
  readonly number: string;
  /** The oldest Java that runs it. */
  readonly java: number;
  /** What a server is made of: two shaded jars, and the cryptography that they leave out. */
  readonly artifacts: readonly GerritArtifact[];
}

const cryptography: readonly GerritArtifact[] = [
  {
    name: 'org.bouncycastle:bcprov-jdk18on:1.80',
    sha256: 'e8ad209f8c58d291a37ca9750e9e9fac60596956c983e49dd8282381dd8b3249',
  },
  {
    name: 'org.bouncycastle:bcpg-jdk18on:1.80',
    sha256: '3799a0d53511b860780af43c44ae8e0519afabb263195af40174f46312cd58bd',
  },
];

/** The last one for Java 17, which each supported system has. */
export const usualGerrit: GerritVersion = {
  number: '3.10.2',
  java: 17,
  artifacts: [
    {
      name: 'com.google.gerrit:gerrit-acceptance-framework:3.10.2',
      sha256: '29fd6bf05585ba57490d13e28fd4c5f9f859d3b55f5e1217ca437aa4f8f84c13',
    },
    {
      name: 'com.google.gerrit:gerrit-plugin-api:3.10.2',
      sha256: '3ee733da1bd1379c61005cde3ac4bced480ab211dc51f62ad7821a7f35b15c43',
    },
    ...cryptography,
  ],
};

export const newestGerrit: GerritVersion = {
  number: '3.13.5',
  java: 21,
  artifacts: [
    {
      name: 'com.google.gerrit:gerrit-acceptance-framework:3.13.5',
      sha256: 'c301a154e777eb69c9b8904c3dbac1e70b4924ab7aeecf1f874d3cfd45bb5961',
    },
    {
      name: 'com.google.gerrit:gerrit-plugin-api:3.13.5',
      sha256: '44d6a5e646ffc1bf9f8322f03046fd381b0cf51c1d4cc7d6bec9c5106dc1304d',
    },
    ...cryptography,
  ],
};
