/// Pooling over windows of the trailing axes (`axes.count` of them); the leading axes are kept.
///
/// `sum` adds a window's elements, padding as 0; `spread` is its adjoint. `argument` gives the
/// position of a window's first largest element, counted row-major in the operand's trailing axes
/// (NaN is largest; padding never is), as a number. `gather` reads at such positions, `scatter`,
/// its adjoint, adds to them. So max pooling is gather(argument(x), x), whose gradient is
/// scatter(argument(x), c), and everything is closed under differentiation.
public struct Window: Primitive {
  public enum Form: String, Sendable, CaseIterable {
    /// x → y
    case sum
    /// y → x
    case spread
    /// x → positions of y's shape; no gradient
    case argument
    /// (positions, x) → y
    case gather
    /// (positions, y) → x
    case scatter
  }
  public let form: Form
  public let axes: [WindowAxis]

  public init(_ form: Form, axes: [WindowAxis]) {
    self.form = form
    self.axes = axes
  }

  public var mnemonic: String { "window_\(form.rawValue)" }
  public var attributes: String { axes.text }

  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    let (extents, outputs) = (axes.map(\.extent), axes.map(\.outputs))
    func leading(_ shape: Shape, before trailing: [Int]) throws(ShapeError) -> Shape {
      guard shape.count >= trailing.count, Array(shape.suffix(trailing.count)) == trailing else {
        throw ShapeError("\(attributes) of \(operands)")
      }
      return Array(shape.dropLast(trailing.count))
    }
    let isPair = form == .gather || form == .scatter
    guard operands.count == (isPair ? 2 : 1), !axes.isEmpty, axes.allSatisfy(\.isValid) else {
      throw ShapeError("\(attributes) of \(operands)")
    }
    switch form {
    case .sum, .argument: return try leading(operands[0], before: extents) + outputs
    case .spread: return try leading(operands[0], before: outputs) + extents
    case .gather, .scatter:
      let kept = try leading(operands[0], before: outputs)
      let other = form == .gather ? extents : outputs
      guard operands[1] == kept + other else { throw ShapeError("\(attributes) of \(operands)") }
      return kept + (form == .gather ? outputs : extents)
    }
  }

  public func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent c: Value
  ) -> [Value?] {
    switch form {
    case .sum: [g.window(.spread, c, axes: axes)]
    case .spread: [g.window(.sum, c, axes: axes)]
    case .argument: [nil]
    case .gather: [nil, g.add(.window(Window(.scatter, axes: axes)), [operands[0], c])]
    case .scatter: [nil, g.add(.window(Window(.gather, axes: axes)), [operands[0], c])]
    }
  }
}

extension GraphBuilder {
  public func window(_ form: Window.Form, _ x: Value, axes: [WindowAxis]) -> Value {
    add(.window(Window(form, axes: axes)), [x])
  }
  /// The largest element of every window.
  public func windowMaximum(_ x: Value, axes: [WindowAxis]) -> Value {
    let positions = window(.argument, x, axes: axes)
    return add(.window(Window(.gather, axes: axes)), [positions, x])
  }
}
