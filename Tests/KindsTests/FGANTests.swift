import Glibc
import Losses
import Model
import Testing

/// A divergence with what is known of it.
struct KnownDivergence: Sendable, CustomStringConvertible {
  let name: String
  var alpha: Double?
  var mixture: Double?
  let f: @Sendable (Double) -> Double
  /// f'
  let slope: @Sendable (Double) -> Double
  /// D_f of N(0, 1) and N(1, 1), and of distributions apart.
  let value: Double
  let apart: Double
  /// The score where real and generated samples are as likely.
  let threshold: Double
  /// u at a score: the ratio p/q that a best critic says.
  let ratio: @Sendable (Double) -> Double

  var description: String { name + (alpha.map { " \($0)" } ?? "") }
  func loss(_ mode: SGAN.Mode = .nonSaturating) throws -> FGAN {
    var values: [String: any Sendable] = [
      "divergence": FGAN.Divergence(rawValue: name)!, "mode": mode,
    ]
    values["alpha"] = alpha
    values["mixture"] = mixture
    return try FGAN(arguments(values))
  }
}

private func sp(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

private func alphaDivergence(
  _ a: Double, value: Double, apart: Double, threshold: Double
) -> KnownDivergence {
  KnownDivergence(
    name: "alpha", alpha: a, f: { (pow($0, a) - 1 - a * ($0 - 1)) / (a * (a - 1)) },
    slope: { (pow($0, a - 1) - 1) / (a - 1) }, value: value, apart: apart, threshold: threshold,
    ratio: {
      a < 1 ? pow((1 - a) * sp(-$0), 1 / (a - 1)) : pow(max(0, 1 + (a - 1) * $0), 1 / (a - 1))
    })
}

let divergences: [KnownDivergence] = [
  KnownDivergence(
    name: "kl", f: { $0 * log($0) }, slope: { 1 + log($0) }, value: 0.5, apart: .infinity,
    threshold: 1, ratio: { exp($0 - 1) }),
  KnownDivergence(
    name: "reverse_kl", f: { -log($0) }, slope: { -1 / $0 }, value: 0.5, apart: .infinity,
    threshold: 0, ratio: { exp($0) }),
  KnownDivergence(
    name: "pearson", f: { ($0 - 1) * ($0 - 1) }, slope: { 2 * ($0 - 1) }, value: 1.71828183,
    apart: .infinity, threshold: 0, ratio: { max(0, 1 + $0 / 2) }),
  KnownDivergence(
    name: "neyman", f: { (1 - $0) * (1 - $0) / $0 }, slope: { 1 - 1 / ($0 * $0) },
    value: 1.71828183, apart: .infinity, threshold: 0, ratio: { exp($0 / 2) }),
  KnownDivergence(
    name: "squared_hellinger", f: { pow($0.squareRoot() - 1, 2) },
    slope: { 1 - 1 / $0.squareRoot() }, value: 0.23500619, apart: 2, threshold: 0,
    ratio: { exp(2 * $0) }),
  KnownDivergence(
    name: "jeffrey", f: { ($0 - 1) * log($0) }, slope: { 1 + log($0) - 1 / $0 }, value: 1,
    apart: .infinity, threshold: 0,
    ratio: { v in  // 1/w with w + log w = 1 − v, by bisection
      var (low, high) = (-800.0, 800.0)
      for _ in 0..<200 {
        let y = (low + high) / 2
        if exp(y) + y < 1 - v { low = y } else { high = y }
      }
      return exp(-(low + high) / 2)
    }),
  KnownDivergence(
    name: "jensen_shannon", f: { $0 * log($0) - ($0 + 1) * log((1 + $0) / 2) },
    slope: { log(2 * $0 / (1 + $0)) }, value: 0.22284296, apart: 2 * log(2), threshold: 0,
    ratio: { exp($0) }),
  KnownDivergence(
    name: "weighted_jensen_shannon", mixture: 0.3,
    f: { 0.3 * $0 * log($0) - (0.7 + 0.3 * $0) * log(0.7 + 0.3 * $0) },
    slope: { 0.3 * log($0 / (0.7 + 0.3 * $0)) }, value: 0.09491047,
    apart: -0.3 * log(0.3) - 0.7 * log(0.7), threshold: log(0.3 / 0.7),
    // π·u/(1 − π + π·u) = σ(v)
    ratio: { 0.7 / 0.3 * exp($0) }),
  KnownDivergence(
    name: "gan", f: { $0 * log($0) - ($0 + 1) * log($0 + 1) }, slope: { log($0 / (1 + $0)) },
    value: -1.16345140, apart: 0, threshold: 0, ratio: { exp($0) }),
  alphaDivergence(0.5, value: 0.47001239, apart: 4, threshold: -1.8546),
  alphaDivergence(2, value: 0.85914091, apart: .infinity, threshold: 0),
  alphaDivergence(3, value: 3.18092282, apart: .infinity, threshold: 0),
  alphaDivergence(-1, value: 0.85914091, apart: .infinity, threshold: log(1 / (exp(0.5) - 1))),
]

@Suite struct FGANTests {
  /// g(v) and f*(g(v)) at a score, read off the compiled losses: −E g of the generator's loss, and
  /// what is left of the critic's.
  private func parts(
    _ divergence: KnownDivergence, _ v: [Double]
  ) throws -> (activation: [Double], conjugate: [Double]) {
    var result: (activation: [Double], conjugate: [Double]) = ([], [])
    for score in v {
      let run = AdversarialRun.scores(real: [score], fake: [score])
      result.activation.append(-(try run(divergence.loss()).generator))
      result.conjugate.append(-(try run(divergence.loss(.saturating)).generator))
    }
    return result
  }

  /// f*(t) = sup over u of t·u − f(u), reached at the u with f'(u) = t = g(v).
  @Test(arguments: divergences)
  func theComposedConjugateIsTight(_ divergence: KnownDivergence) throws {
    let scores = stride(from: -3.0, through: 3, by: 0.37).filter {
      let u = divergence.ratio($0)
      return u > 1e-6 && u.isFinite
    }
    #expect(scores.count >= 8)
    let found = try parts(divergence, scores)
    for (index, v) in scores.enumerated() {
      let u = divergence.ratio(v)
      let activation = found.activation[index]
      #expect(abs(activation - divergence.slope(u)) < 1e-8 * max(1, abs(activation)), "at \(v)")
      let conjugate = activation * u - divergence.f(u)
      let error = abs(found.conjugate[index] - conjugate)
      #expect(error < 1e-8 * max(1, abs(conjugate)), "at \(v)")
    }
  }

  @Test(arguments: divergences)
  func theThresholdIsTheSlopeAtOne(_ divergence: KnownDivergence) throws {
    let ratio = divergence.ratio(divergence.threshold)
    #expect(abs(ratio - 1) < 1e-4)
    let found = try parts(divergence, [divergence.threshold])
    #expect(abs(found.activation[0] - divergence.slope(1)) < 1e-4)
  }

  /// −loss at the best critic of N(0, 1) and N(1, 1) is the divergence: each part of the loss, as
  /// compiled, integrated against its density.
  @Test(arguments: divergences)
  func theBestCriticsLossIsTheDivergence(_ divergence: KnownDivergence) throws {
    // v with ratio(v) = p/q = exp(½ − x), by bisection: ratios increase with v.
    func score(_ x: Double) -> Double {
      let target = exp(0.5 - x)
      var (low, high) = (-1e7, 1e7)
      for _ in 0..<120 {
        let v = (low + high) / 2
        if divergence.ratio(v) < target { low = v } else { high = v }
      }
      return (low + high) / 2
    }
    let h = 0.01
    let points = stride(from: -8.0, through: 9, by: h).map { $0 }
    let values = try weighted(divergence, points.map(score))
    func density(_ x: Double, _ mean: Double) -> Double {
      exp(-(x - mean) * (x - mean) / 2) / (2 * Double.pi).squareRoot()
    }
    var total = 0.0
    for (index, x) in points.enumerated() {
      total += h * (density(x, 0) * values.activation[index] - density(x, 1) * values.conjugate[index])
    }
    #expect(abs(total - divergence.value) < 2e-7 * max(1, abs(divergence.value)))
  }

  private func weighted(
    _ divergence: KnownDivergence, _ scores: [Double]
  ) throws -> (activation: [Double], conjugate: [Double]) {
    let activation = try generatorTerms(divergence.loss(), scores)
    let conjugate = try generatorTerms(divergence.loss(.saturating), scores)
    return (activation.map { -$0 }, conjugate.map { -$0 })
  }

  /// Linear critics are best for N(0, 1) and N(1, 1): the loss's expected slopes in a and b of
  /// v = ax + b vanish, and its value is −D_f.
  @Test(arguments: [
    ("kl", -1, 1.5), ("reverse_kl", -1, 0.5), ("jensen_shannon", -1, 0.5), ("gan", -1, 0.5),
    ("neyman", -2, 1), ("squared_hellinger", -0.5, 0.25),
  ] as [(String, Double, Double)])
  func theKnownLinearCriticIsStationary(_ name: String, _ a: Double, _ b: Double) throws {
    let divergence = try #require(divergences.first { $0.name == name })
    let h = 0.01
    let points = stride(from: -9.0, through: 10, by: h).map { $0 }
    let run = AdversarialRun.scores(
      real: points.map { a * $0 + b }, fake: points.map { a * $0 + b })
    let found = try run(divergence.loss())
    let count = Double(points.count)
    var slopes = (a: 0.0, b: 0.0)
    for (index, x) in points.enumerated() {
      let p = h * exp(-x * x / 2) / (2 * Double.pi).squareRoot()
      let q = h * exp(-(x - 1) * (x - 1) / 2) / (2 * Double.pi).squareRoot()
      let slope = count * (p * found.realSlopes[index] + q * found.fakeSlopes[index])
      slopes.a += slope * x
      slopes.b += slope
    }
    #expect(abs(slopes.a) < 1e-8 && abs(slopes.b) < 1e-8)
  }

  @Test func totalVariationIsTheHalfTangent() throws {
    let loss = try FGAN(arguments(["divergence": FGAN.Divergence.totalVariation]))
    // The best critic is ½·sign(p − q): scores of ±40 give it, and apart D_f = 1.
    let found = try AdversarialRun.scores(real: [40], fake: [-40])(loss)
    #expect(abs(found.loss + 1) < 1e-12)
    let middle = try AdversarialRun.scores(real: [0.7], fake: [0.2])(loss)
    #expect(abs(middle.loss - (tanh(0.2) - tanh(0.7)) / 2) < 1e-15)
    let slope = 1 - tanh(0.7) * tanh(0.7)
    #expect(abs(middle.realSlopes[0] + slope / 2) < 1e-15)
  }

  /// The supremum for distributions apart is f(0) + f'(∞): v_r → ∞ on one, v_f → −∞ on the other.
  @Test(arguments: divergences.filter { $0.apart.isFinite })
  func distributionsApartGiveTheLimit(_ divergence: KnownDivergence) throws {
    let far = 300.0
    let found = try AdversarialRun.scores(real: [far], fake: [-far])(divergence.loss())
    // alpha in (0, 1) tends to its limit like 1/v.
    #expect(abs(-found.loss - divergence.apart) < (divergence.alpha == nil ? 1e-9 : 0.05))
  }

  @Test func perSampleSlopesAreThoseOfTheTable() throws {
    for divergence in divergences {
      for v in [-1.3, 0.4, 1.1] {
        let u = divergence.ratio(v)
        guard u > 0 else { continue }
        let found = try AdversarialRun.scores(real: [v], fake: [v])(divergence.loss())
        // D: −g' on real and û·g' on generated; G: −g'.
        let activation = -found.realSlopes[0]
        #expect(activation > 0, "\(divergence) increases")
        #expect(abs(found.fakeSlopes[0] - u * activation) < 1e-8 * max(1, u * activation))
        #expect(abs(found.generatorSlopes[0] + activation) < 1e-12)
      }
    }
  }

  @Test func jeffreyIsFiniteFarOut() throws {
    let loss = try FGAN(arguments(["divergence": FGAN.Divergence.jeffrey]))
    for v in [-1000.0, -30, 30] {
      let found = try AdversarialRun.scores(real: [0], fake: [v])(loss)
      #expect(found.loss.isFinite && found.fakeSlopes[0].isFinite, "\(v)")
    }
  }
}
