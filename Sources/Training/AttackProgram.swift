import Model
import Rounding
import Tensors

/// Projected gradient descent on the margin f_y − max_{j≠y} f_j of a batch, as two programs that
/// share their state: `attack.start` draws changes at random, `attack.step` evaluates the present
/// ones, keeps the best of each sample, and moves them.
///
/// With g the gradient of the margin at x + δ, r the ball's radius and α a fraction of it:
///
///     L2   δ ← P(δ − α·r·g/‖g‖₂)       P the projection onto the ball
///     L∞   δ ← P(δ − α·r·sign g)
///     L1   δ ← (1 − α)·δ − α·r·sign(gᵢ)·eᵢ, i the largest |gᵢ|     (Frank and Wolfe)
struct AttackProgram {
  static let start = "attack.start"
  static let step = "attack.step"
  static let change = "attack.change"
  static let best = "attack.best"
  static let margin = "attack.margin"

  let programs: [Program]

  init(_ network: Network, norm: Norm, batch: Int) {
    programs = [
      Self.startProgram(network, norm, batch), Self.stepProgram(network, norm, batch),
    ]
  }

  private static func startProgram(_ network: Network, _ norm: Norm, _ batch: Int) -> Program {
    let g = GraphBuilder()
    let shape = [batch] + network.inputShape
    let rows = [batch, network.inputShape.elementCount]
    let radius = g.input("radius", [batch])
    let counter = g.input("counter", [])
    func uniform(_ name: String) -> Value {
      g.random(stream: Philox.stream(seed: 0, name: "attack \(name)"), counter: counter, rows)
    }
    let reach = g.broadcast(leading: radius, to: rows)
    let change: Value
    if norm == .linf {
      change = g.multiply(g.subtract(g.multiply(uniform("direction"), 2), 1), reach)
    } else {
      // Normal by Box and Muller; then on the sphere of the norm.
      let length = g.unary(
        .squareRoot, g.multiply(g.unary(.log, g.subtract(1, uniform("direction"))), -2))
      let angle = g.multiply(uniform("angle"), 2 * Double.pi)
      let normal = g.multiply(length, g.unary(.cosine, angle))
      change = g.multiply(g.divide(normal, lengths(normal, norm, g)), reach)
    }
    let updates: [Program.Update] = [
      .init(Self.change, g.reshape(change, to: shape)), .init(best, g.constant(0, shape)),
      .init(margin, g.constant(3e38, [batch])),
    ]
    return Program(name: start, graph: g.graph, outputs: [], updates: updates).optimized()
  }

  private static func stepProgram(_ network: Network, _ norm: Norm, _ batch: Int) -> Program {
    let g = GraphBuilder()
    let shape = [batch] + network.inputShape
    let rows = [batch, network.inputShape.elementCount]
    let x = g.input("x", shape)
    let labels = g.input("labels", [batch])
    let radius = g.input("radius", [batch])
    let rate = g.input("rate", [])
    let change = g.state(Self.change, shape)
    let best = g.state(Self.best, shape)
    let least = g.state(margin, [batch])

    let y = Lowering.forwardValue(network: network, x: g.add(x, change), mode: .deployed, g).output
    let now = margins(g.reshape(y, to: [batch, network.outputShape.elementCount]), labels, g)
    let gradient = g.reshape(g.gradient(of: g.sum(now), with: [change])[0], to: rows)

    let reach = g.broadcast(leading: radius, to: rows)
    let move = g.multiply(reach, g.broadcast(rate, to: rows, axes: []))
    let flat = g.reshape(change, to: rows)
    let next: Value
    switch norm {
    case .linf:
      let moved = g.subtract(flat, g.multiply(move, g.unary(.sign, gradient)))
      next = g.binary(.maximum, g.binary(.minimum, moved, reach), g.negate(reach))
    case .l2:
      let unit = g.divide(gradient, lengths(gradient, norm, g))
      let moved = g.subtract(flat, g.multiply(move, unit))
      let ratio = g.divide(reach, lengths(moved, norm, g))
      next = g.multiply(moved, g.binary(.minimum, ratio, g.constant(1, rows)))
    case .l1:
      let size = g.unary(.absolute, gradient)
      let peak = g.broadcast(leading: g.maximum(over: [1], size), to: rows)
      let isPeak = g.binary(.equal, size, peak)
      let ties = g.broadcast(leading: g.sum(isPeak, [1]), to: rows)
      let corner = g.multiply(g.divide(isPeak, ties), g.unary(.sign, gradient))
      let kept = g.subtract(1, g.broadcast(rate, to: rows, axes: []))
      next = g.subtract(g.multiply(flat, kept), g.multiply(move, corner))
    }
    let isBetter = g.binary(.greater, least, now)
    let wide = g.broadcast(leading: isBetter, to: shape)
    let updates: [Program.Update] = [
      .init(Self.change, g.reshape(next, to: shape)),
      .init(Self.best, g.select(wide, change, best)),
      .init(margin, g.select(isBetter, now, least)),
    ]
    return Program(name: step, graph: g.graph, outputs: [], updates: updates).optimized()
  }

  /// y_label − max over the others; of one output, y towards class 1 and −y towards class 0.
  private static func margins(_ y: Value, _ labels: Value, _ g: GraphBuilder) -> Value {
    let shape = g.shape(y)
    if shape[1] == 1 {
      return g.multiply(g.reshape(y, to: [shape[0]]), g.subtract(g.multiply(labels, 2), 1))
    }
    let isOwn = g.binary(.equal, g.iota(shape, axis: 1), g.broadcast(leading: labels, to: shape))
    let own = g.sum(g.multiply(y, isOwn), [1])
    let others = g.select(isOwn, g.constant(-3e38, shape), y)
    return g.subtract(own, g.maximum(over: [1], others))
  }

  /// The norm of each row, for each of its elements; never 0.
  private static func lengths(_ x: Value, _ norm: Norm, _ g: GraphBuilder) -> Value {
    let length = norm == .l1
      ? g.sum(g.unary(.absolute, x), [1]) : g.unary(.squareRoot, g.sum(g.square(x), [1]))
    return g.broadcast(leading: g.maximum(length, 1e-30), to: g.shape(x))
  }
}
