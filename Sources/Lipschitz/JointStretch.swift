import Model
import Tensors

/// A part of a network between two values, through which every path passes, made of nothing but
/// linear layers, weighted sums and element-wise activations.
struct JointStretch: Sendable {
  let entry: NetworkValue
  let exit: NetworkValue
  /// All nodes on paths from entry to exit, in execution order.
  let nodes: [Int]
  /// The last value that is linear in the entry through which all paths pass: what lies before it
  /// is one matrix.
  let root: NetworkValue
}

extension Network {
  /// The maximal stretches that have something to gain: at least two matrices, or one and a sum.
  func jointStretches() -> [JointStretch] {
    let gates = dominators()
    var stretches: [JointStretch] = []
    var start = 0
    while start + 1 < gates.count {
      guard isJoint(from: gates[start], to: gates[start + 1]) else {
        start += 1
        continue
      }
      var end = start + 1
      while end + 1 < gates.count, isJoint(from: gates[end], to: gates[end + 1]) { end += 1 }
      stretches += stretch(gates[start...end]).map { [$0] } ?? []
      start = end
    }
    return stretches
  }

  /// The values through which every path from the input to the output leads, in order, input and
  /// output included; only the input where the output does not depend on it.
  private func dominators() -> [NetworkValue] {
    // Immediate dominators by walking the operands' chains to where they meet.
    var parent: [Int] = []  // −1 is the input
    var isReached: [Bool] = []
    for node in nodes {
      var meeting: Int?
      for case let operand in node.inputs {
        var other = -1
        if case .node(let index) = operand {
          guard isReached[index] else { continue }
          other = index
        }
        guard var place = meeting else {
          meeting = other
          continue
        }
        while place != other {
          if place > other { place = parent[place] } else { other = parent[other] }
        }
        meeting = place
      }
      parent.append(meeting ?? -1)
      isReached.append(meeting != nil)
    }
    guard case .node(var index) = output, isReached[index] else { return [.input] }
    var chain: [NetworkValue] = []
    while index >= 0 {
      chain.append(.node(index))
      index = parent[index]
    }
    return [.input] + chain.reversed()
  }

  private func nodes(from entry: NetworkValue, to exit: NetworkValue) -> [Int] {
    guard case .node(let last) = exit else { return [] }
    var first = 0
    if case .node(let index) = entry { first = index + 1 }
    // A stretch trimmed at both ends may be empty.
    guard first <= last else { return [] }
    // Only what the exit depends on.
    var isLive = [Bool](repeating: false, count: last + 1 - first)
    isLive[last - first] = true
    for index in (first...last).reversed() where isLive[index - first] {
      for case .node(let operand) in nodes[index].inputs where operand >= first {
        isLive[operand - first] = true
      }
    }
    return (first...last).filter { isLive[$0 - first] }
  }

  private func isJoint(from entry: NetworkValue, to exit: NetworkValue) -> Bool {
    nodes(from: entry, to: exit).allSatisfy { nodes[$0].isJoint }
  }

  /// Trims what only rescales at both ends and looks for the root.
  private func stretch(_ gates: ArraySlice<NetworkValue>) -> JointStretch? {
    func part(_ index: Int) -> [Int] { nodes(from: gates[index], to: gates[index + 1]) }
    func isThin(_ index: Int) -> Bool {
      let part = part(index)
      return part.count == 1 && !nodes[part[0]].isMatrix
    }
    var (first, last) = (gates.startIndex, gates.endIndex - 1)
    while first < last, isThin(first) { first += 1 }
    while last > first, isThin(last - 1) { last -= 1 }
    guard first < last else { return nil }
    let inside = nodes(from: gates[first], to: gates[last])
    let matrices = inside.filter { nodes[$0].isMatrix }.count
    let sums = inside.filter { nodes[$0].isSum }.count
    guard matrices >= 2 || (matrices == 1 && sums > 0) else { return nil }
    var root = first
    while root < last, part(root).allSatisfy({ nodes[$0].activationSlopes == nil }) { root += 1 }
    return JointStretch(
      entry: gates[first], exit: gates[last], nodes: inside, root: gates[root])
  }
}

extension LayerNode {
  /// The slopes of an activation that is no multiple of the identity.
  var activationSlopes: SlopeRange? {
    guard case .elementwise(let slopes) = operation, slopes.lower < slopes.upper else {
      return nil
    }
    return slopes
  }

  fileprivate var isMatrix: Bool {
    if case .linear(.dense) = operation { true } else { false }
  }
  fileprivate var isSum: Bool {
    if case .weightedSum = operation { true } else { false }
  }

  /// Whether the joint bound knows the layer. Numbers far outside of what occurs are left to the
  /// product, so that no constant of the inequality can under- or overflow.
  fileprivate var isJoint: Bool {
    func isModerate(_ number: Double) -> Bool {
      number == 0 || (number.magnitude > 0x1p-200 && number.magnitude < 0x1p200)
    }
    switch operation {
    case .linear(.dense(_, let outputs, let inputs)):
      return inputs == inputShapes[0].elementCount && outputs == outputShape.elementCount
    case .linear(.diagonal(_, let count)):
      return count == outputShape.elementCount
    case .linear(.normalisation(_, _, let epsilon, let channels, let count)):
      return epsilon >= 0 && channels * count == outputShape.elementCount
    case .linear(.scaling(let factor)):
      return isModerate(factor)
    case .elementwise(let slopes):
      return slopes.lower <= slopes.upper && isModerate(slopes.lower) && isModerate(slopes.upper)
    case .weightedSum(let coefficients):
      return coefficients.allSatisfy(isModerate)
    case .linear, .stored, .known, .unbounded:
      return false
    }
  }
}
