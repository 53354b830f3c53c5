import Glibc
import Model
import Tensors

/// D_f(P‖Q) = ∫ q·f(p/q) by its generator f, as two functions of the critic's score: the activation
/// g, increasing onto the domain of the conjugate f*, and f*∘g, composed by hand so that neither
/// overflows where the other is finite.
///
/// | | f(u) | g(v) | f*(g(v)) |
/// |---|---|---|---|
/// | `kl` | u log u | v | e^(v−1) |
/// | `reverse_kl` | −log u | −e^(−v) | v − 1 |
/// | `pearson` | (u−1)² | v | max(0, 1 + v/2)² − 1 |
/// | `neyman` | (1−u)²/u | 1 − e^(−v) | 2 − 2e^(−v/2) |
/// | `squared_hellinger` | (√u−1)² | 1 − e^(−v) | e^v − 1 |
/// | `jeffrey` | (u−1) log u | v | w + 1/w + v − 2, w + log w = 1 − v |
/// | `jensen_shannon` | u log u − (u+1) log((1+u)/2) | log 2 − sp(−v) | sp(v) − log 2 |
/// | `weighted_jensen_shannon` | πu log u − (1−π+πu) log(1−π+πu) | −π log π − π sp(−v) | (1−π)(log(1−π) + sp(v)) |
/// | `gan` | u log u − (u+1) log(u+1) | −sp(−v) | sp(v) |
/// | `total_variation` | ½·abs(u−1) | ½ tanh v | ½ tanh v |
/// | `alpha`, α < 1 | (u^α − 1 − α(u−1))/(α(α−1)) | 1/(1−α) − sp(−v) | (((1−α) sp(−v))^(α/(α−1)) − 1)/α |
/// | `alpha`, α > 1 | the same | v | (max(0, 1 + (α−1)v)^(α/(α−1)) − 1)/α |
///
/// `jensen_shannon` is twice the Jensen–Shannon divergence, and `gan` is that less log 4.
enum FDivergence {
  case kl, reverseKL, pearson, neyman, squaredHellinger, jeffrey, jensenShannon
  case weightedJensenShannon(Double)
  case gan, totalVariation
  case alpha(Double)

  /// g(v)
  func activation(_ v: Value, _ g: GraphBuilder) -> Value {
    func softplusOfNegative() -> Value { g.unary(.softplus, g.negate(v)) }
    switch self {
    case .kl, .pearson, .jeffrey: return v
    case .reverseKL: return g.negate(g.unary(.exp, g.negate(v)))
    case .neyman, .squaredHellinger: return g.subtract(1, g.unary(.exp, g.negate(v)))
    case .jensenShannon: return g.subtract(log(2), softplusOfNegative())
    case .weightedJensenShannon(let p):
      return g.subtract(-p * log(p), g.multiply(softplusOfNegative(), p))
    case .gan: return g.negate(softplusOfNegative())
    case .totalVariation: return g.multiply(g.unary(.tanh, v), 0.5)
    case .alpha(let a): return a < 1 ? g.subtract(1 / (1 - a), softplusOfNegative()) : v
    }
  }

  /// f*(g(v))
  func conjugate(_ v: Value, _ g: GraphBuilder) -> Value {
    func exponential(_ x: Value) -> Value { g.unary(.exp, x) }
    func softplus() -> Value { g.unary(.softplus, v) }
    switch self {
    case .kl: return exponential(g.subtract(v, 1))
    case .reverseKL: return g.subtract(v, 1)
    case .pearson:
      let ratio = g.unary(.relu, g.add(g.multiply(v, 0.5), 1))
      return g.subtract(g.square(ratio), 1)
    case .neyman: return g.subtract(2, g.multiply(exponential(g.multiply(v, -0.5)), 2))
    case .squaredHellinger: return g.subtract(exponential(v), 1)
    case .jeffrey:
      let y = logarithmicOmega(g.subtract(1, v), g)
      let ends = g.add(exponential(y), exponential(g.negate(y)))
      return g.add(ends, g.subtract(v, 2))
    case .jensenShannon: return g.subtract(softplus(), log(2))
    case .weightedJensenShannon(let p):
      return g.multiply(g.add(softplus(), log(1 - p)), 1 - p)
    case .gan: return softplus()
    case .totalVariation: return activation(v, g)
    case .alpha(let a):
      let base =
        a < 1
        ? g.multiply(g.unary(.softplus, g.negate(v)), 1 - a)
        : g.unary(.relu, g.add(g.multiply(v, a - 1), 1))
      let exponent = g.constant(a / (a - 1), g.shape(base))
      return g.multiply(g.subtract(g.binary(.power, base, exponent), 1), 1 / a)
    }
  }

  /// The y with e^y + y = z, which is log of Wright's ω(z): Newton's steps from the right, where
  /// they fall monotonically on a convex function. Only the last one is differentiated: its slope
  /// is then 1/(1 + e^y), the derivative of y itself.
  private func logarithmicOmega(_ z: Value, _ g: GraphBuilder) -> Value {
    func newton(_ y: Value) -> Value {
      let w = g.unary(.exp, y)
      return g.subtract(y, g.divide(g.subtract(g.add(w, y), z), g.add(w, 1)))
    }
    let positive = g.unary(.relu, z)
    var y = g.add(g.unary(.log, g.add(positive, 1)), g.subtract(z, positive))
    for _ in 0..<6 { y = newton(y) }
    return newton(g.stopGradient(y))
  }
}
