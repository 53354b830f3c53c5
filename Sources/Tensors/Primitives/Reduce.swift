/// Sum or maximum over some axes, which disappear from the shape.
public struct Reduce: Primitive {
  public enum Kind: String, Sendable, CaseIterable { case sum, maximum }
  public let kind: Kind
  /// Ascending, distinct.
  public let axes: [Int]

  public init(_ kind: Kind, axes: [Int]) {
    self.kind = kind
    self.axes = axes.sorted()
  }

  public var mnemonic: String { "reduce_\(kind.rawValue)" }
  public var attributes: String { "axes=\(axes)" }

  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard operands.count == 1 else { throw ShapeError("takes one operand") }
    guard Set(axes).count == axes.count, axes.allSatisfy(operands[0].indices.contains) else {
      throw ShapeError("axes \(axes) of \(operands[0].shapeText)")
    }
    return operands[0].removing(axes: axes)
  }

  /// Where several elements share the maximum they share the cotangent equally.
  public func gradient(
    _ g: GraphBuilder, value y: Value, operands: [Value], cotangent c: Value
  ) -> [Value?] {
    let x = operands[0]
    let full = g.shape(x)
    let kept = full.indices.filter { !axes.contains($0) }
    switch kind {
    case .sum: return [g.broadcast(c, to: full, axes: kept)]
    case .maximum:
      let hit = g.binary(.equal, x, g.broadcast(y, to: full, axes: kept))
      let share = g.divide(c, g.sum(hit, axes))
      return [g.multiply(hit, g.broadcast(share, to: full, axes: kept))]
    }
  }
}

/// Copies along new axes: operand axis k becomes result axis `axes[k]` (ascending), of equal
/// extent.
public struct Broadcast: Primitive {
  public let target: Shape
  public let axes: [Int]

  public init(to target: Shape, axes: [Int]) {
    self.target = target
    self.axes = axes
  }

  public var mnemonic: String { "broadcast" }
  public var attributes: String { "axes=\(axes)" }

  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard operands.count == 1, operands[0].count == axes.count, axes == Array(Set(axes)).sorted(),
      axes.allSatisfy(target.indices.contains),
      zip(axes, operands[0]).allSatisfy({ target[$0] == $1 })
    else {
      throw ShapeError("\(operands) to \(target.shapeText) at axes \(axes)")
    }
    return target
  }

  public func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent c: Value
  ) -> [Value?] {
    [g.sum(c, target.indices.filter { !axes.contains($0) })]
  }
}
