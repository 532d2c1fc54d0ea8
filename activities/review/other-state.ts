/** A host has merged a change, and its branch is not what was tested: somebody else moved it in the same moment. */
export class OtherStateLanded extends Error {
  override readonly name = 'OtherStateLanded';
}
