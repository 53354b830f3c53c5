/// Convolution (cross-correlation, as every network library means it) and its two adjoints, for one
/// or two spatial axes:
///
///     y[b, o, p] = Σ over c, t of x[b, c, p·stride + t·dilation − low] · w[o, c, t]
///
/// with x [batch, in, extents…], w [out, in/groups, kernels…] and y [batch, out, outputs…]; positions
/// in the padding count as 0, and outputs of group g read the inputs of group g only.
///
/// ⟨d, y⟩ is linear in each of d, x and w; the three forms are its partial derivatives, so they are
/// closed under differentiation.
public struct Convolution: Primitive {
  public enum Form: String, Sendable, CaseIterable {
    /// (x, w) → y
    case forward
    /// (d, w) → the x-shaped adjoint image of d, of y's shape: also the transposed convolution
    case data
    /// (x, d) → the gradient for w
    case weights
  }
  public let form: Form
  /// The spatial axes of x.
  public let axes: [WindowAxis]
  public let groups: Int

  public init(_ form: Form, axes: [WindowAxis], groups: Int = 1) {
    self.form = form
    self.axes = axes
    self.groups = groups
  }

  public var mnemonic: String {
    switch form {
    case .forward: "convolution"
    case .data: "convolution_data"
    case .weights: "convolution_weights"
    }
  }
  public var attributes: String { axes.text + (groups == 1 ? "" : " groups=\(groups)") }

  /// The same convolution in another form.
  public func form(_ form: Form) -> Convolution {
    Convolution(form, axes: axes, groups: groups)
  }

  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    let rank = axes.count + 2
    guard operands.count == 2, operands.allSatisfy({ $0.count == rank }), groups > 0,
      axes.allSatisfy(\.isValid)
    else { throw ShapeError("\(attributes) of \(operands)") }
    let (a, b) = (operands[0], operands[1])
    let (extents, kernels, outputs) =
      (axes.map(\.extent), axes.map(\.kernel), axes.map(\.outputs))
    let fits: Bool
    let result: Shape
    switch form {
    case .forward:
      fits = Array(a[2...]) == extents && Array(b[2...]) == kernels
        && a[1] == b[1] * groups && b[0] % groups == 0
      result = [a[0], b[0]] + outputs
    case .data:
      fits = Array(a[2...]) == outputs && Array(b[2...]) == kernels
        && a[1] == b[0] && b[0] % groups == 0
      result = [a[0], b[1] * groups] + extents
    case .weights:
      fits = Array(a[2...]) == extents && Array(b[2...]) == outputs
        && a[0] == b[0] && a[1] % groups == 0 && b[1] % groups == 0
      result = [b[1], a[1] / groups] + kernels
    }
    guard fits else { throw ShapeError("\(attributes) of \(operands)") }
    return result
  }

  public func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent c: Value
  ) -> [Value?] {
    let (a, b) = (operands[0], operands[1])
    func emit(_ form: Form, _ x: Value, _ y: Value) -> Value {
      g.add(.convolution(self.form(form)), [x, y])
    }
    switch form {
    case .forward: return [emit(.data, c, b), emit(.weights, a, c)]
    case .data: return [emit(.forward, c, b), emit(.weights, c, a)]
    case .weights: return [emit(.data, b, c), emit(.forward, a, c)]
    }
  }
}

extension GraphBuilder {
  /// y of `x` [batch, in, extents…] under `weight` [out, in/groups, kernels…].
  public func convolution(
    _ x: Value, _ weight: Value, axes: [WindowAxis], groups: Int = 1
  ) -> Value {
    add(.convolution(Convolution(.forward, axes: axes, groups: groups)), [x, weight])
  }
  /// The adjoint of that map applied to `y` [batch, out, outputs…].
  public func convolutionData(
    _ y: Value, _ weight: Value, axes: [WindowAxis], groups: Int = 1
  ) -> Value {
    add(.convolution(Convolution(.data, axes: axes, groups: groups)), [y, weight])
  }
  /// ∂⟨y, convolution(x, w)⟩/∂w.
  public func convolutionWeights(
    _ x: Value, _ y: Value, axes: [WindowAxis], groups: Int = 1
  ) -> Value {
    add(.convolution(Convolution(.weights, axes: axes, groups: groups)), [x, y])
  }
}
