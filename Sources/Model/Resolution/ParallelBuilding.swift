import Diagnostics
import Rounding
import Tensors

extension NetworkBuilder {
  /// The branches one after another, each from the same value, and the node that joins them. Branch
  /// k's layers are called `<block>.<k>.<layer>`.
  mutating func append(
    _ entry: ParallelEntry, to input: NetworkValue, prefix: String
  ) -> NetworkValue? {
    let name = prefix + entry.name
    let branches = with(entry.defaults) { builder -> [NetworkValue]? in
      var branches: [NetworkValue] = []
      for (index, items) in entry.branches.enumerated() {
        guard let value = builder.append(items, to: input, prefix: "\(name).\(index + 1).") else {
          return nil
        }
        branches.append(value)
      }
      return branches
    }
    guard let branches else { return nil }
    guard
      let output = join(
        entry.layer, branches, name: name, kind: "parallel", span: entry.kindSpan)
    else { return nil }
    branchings.append(
      Branching(name: name, entry: input, branches: branches, merge: output))
    return closed(output, from: input, entry.residual, name: name, kindSpan: entry.kindSpan)
  }
}

extension ParallelEntry {
  fileprivate var layer: any Layer {
    let count = branches.count
    switch combination {
    case .sum: return WeightedSum(coefficients: [Double](repeating: 1, count: count))
    case .mean: return WeightedSum(meanOf: count)
    case .weighted: return WeightedSum(coefficients: weights)
    case .concat: return Concatenation(axis: axis)
    }
  }
}
