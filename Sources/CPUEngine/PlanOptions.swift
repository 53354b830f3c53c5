/// What planning may do. Everything is on except where tests compare.
struct PlanOptions {
  /// Several element-wise nodes in one pass over memory, and bias and ReLU in a matrix product.
  var fusion = true
  /// Results over an operand that is read for the last time, updates over the old state.
  var inPlace = true
  /// Buffers of disjoint lifetimes in the same memory.
  var reuse = true
  /// Adam as one instruction.
  var adam = true
  /// Matrix products by kernels of our own where they are faster than oneDNN's.
  var ownProducts = true
  /// What depends only on states that a program leaves alone is computed when they change.
  var preparation = true
  /// How tensors lie around convolutions; nil: as the rule of `ArrangedGraph` chooses.
  var arrangement: Arrangement?
  var threads = 1

  /// The most parts in which the sum of a matrix product is kept.
  static let maximumParts = 8
}
