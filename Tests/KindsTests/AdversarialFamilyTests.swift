import Glibc
import Losses
import Model
import Tensors
import Testing

private func sp(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }

/// The least of a convex function of one number, by golden section.
private func least(_ low: Double, _ high: Double, _ f: (Double) throws -> Double) rethrows
  -> (at: Double, value: Double)
{
  let golden = (5.0.squareRoot() - 1) / 2
  var (a, b) = (low, high)
  for _ in 0..<90 {
    let (x, y) = (b - golden * (b - a), a + golden * (b - a))
    if try f(x) < f(y) { b = y } else { a = x }
  }
  return ((a + b) / 2, try f((a + b) / 2))
}

@Suite struct AdversarialFamilyTests {
  // MARK: sgan

  @Test func sganHasThePublishedValue() throws {
    let found = try AdversarialRun.scores(real: [2, -1], fake: [0.5, -3])(SGAN(arguments()))
    #expect(abs(found.loss - 1.2314270172) < 1e-10)
  }

  @Test func theSaturatingGeneratorLosesItsGradientTheOtherDoesNot() throws {
    let run = AdversarialRun.scores(real: [0], fake: [-10])
    let saturating = try run(SGAN(arguments(["mode": SGAN.Mode.saturating])))
    #expect(abs(saturating.generatorSlopes[0] + 4.5397868702e-5) < 1e-15)
    let other = try run(SGAN(arguments()))
    #expect(abs(other.generatorSlopes[0] + 0.9999546021) < 1e-10)
  }

  /// Two points apart: the loss falls to 0 whatever their distance, so log 2 less half of it, the
  /// Jensen–Shannon divergence, tends to log 2 and says nothing of the distance.
  @Test(arguments: [0.1, 1, 10])
  func sganOfTwoPointsIgnoresTheirDistance(_ distance: Double) throws {
    let found = try AdversarialRun.linear(
      w: [80 / distance], b: -40, real: [distance], fake: [0])(SGAN(arguments()))
    #expect(abs(log(2) - found.loss / 2 - 0.693147) < 1e-6)
  }

  @Test func sganSurvivesHugeScores() throws {
    for v in [-1e6, 1e6] {
      let found = try AdversarialRun.scores(real: [v], fake: [v])(SGAN(arguments()))
      #expect(found.loss == 1e6)
      #expect(found.generatorSlopes[0] == (v < 0 ? -1 : 0))
    }
  }

  // MARK: wgan_gp with power 1, wgan_div

  @Test func theUnsquaredPenaltyHasThePublishedValues() throws {
    let loss = WGANGP(arguments(["sided": WGANGP.Sided.one, "power": 1]))
    let run = AdversarialRun.linear(w: [3, 4], real: [1, 2], fake: [0, 1], epsilon: [0.5])
    let (found, plain) = (try run(loss), try run(WGAN(arguments())))
    #expect(abs(found.penalty! - 40) < 1e-9)
    for (index, expected) in [6.0, 8].enumerated() {
      let gradient = found.gradients["w"]![index] - plain.gradients["w"]![index]
      #expect(abs(gradient - expected) < 1e-9)
    }
  }

  @Test(arguments: [WGANDiv.Place.interpolations, .ends])
  func theDivPenaltyHasThePublishedValues(_ place: WGANDiv.Place) throws {
    let run = AdversarialRun.linear(w: [3, 4], real: [1, 2], fake: [0, 1], epsilon: [0.5])
    let (found, plain) = (
      try run(WGANDiv(arguments(["at": place]))), try run(WGAN(arguments()))
    )
    #expect(abs(found.penalty! - 31250) < 1e-6)
    for (index, expected) in [22500.0, 30000].enumerated() {
      let gradient = found.gradients["w"]![index] - plain.gradients["w"]![index]
      #expect(abs(gradient - expected) < 1e-6)
    }
  }

  /// d·s·(1 − 1/p) at s = (d/(kp))^(1/(p−1)): 1.164712 for d = 2, k = 2, p = 6.
  @Test func divOfTwoPointsHasItsValue() throws {
    let best = try least(0, 3) { slope in
      try AdversarialRun.linear(w: [slope], real: [2], fake: [0], epsilon: [0.4])(
        WGANDiv(arguments())).loss
    }
    #expect(abs(-best.value - 1.164712) < 1e-6)
  }

  /// ‖∇D‖ differs at both ends: D = ‖x‖²/2 at norms 1 and 2 with p = 2 gives k·(1 + 4)/2.
  @Test func endsTakesTheMeanOfBothEnds() throws {
    let run = AdversarialRun(real: [1], fake: [2], shape: [1, 1]) { x, _, g in
      g.multiply(g.sum(g.square(x), [1]), 0.5)
    }
    let loss = WGANDiv(arguments(["at": WGANDiv.Place.ends, "power": 2.0, "weight": 3.0]))
    #expect(abs(try run(loss).penalty! - 7.5) < 1e-12)
  }

  @Test func wganOfTwoPointsIsTheirDistance() throws {
    let found = try AdversarialRun.linear(w: [0.6, 0.8], real: [3, 4], fake: [0, 0])(
      WGAN(arguments()))
    #expect(abs(found.loss + 5) < 1e-12)
  }

  // MARK: ls_gan, gls_gan

  private func margin(
    _ type: any AdversarialLoss.Type, _ values: [String: any Sendable] = [:]
  ) throws -> any AdversarialLoss {
    try type.init(arguments(values))
  }

  /// L_r = (0, 1, 2), L_f = (1, 1, 1), the first elements of samples whose L1 distances are all 2.
  private let losses = AdversarialRun(
    real: [0, 0, 1, 0, 2, 0], fake: [1, 1, 1, 2, 1, 1], shape: [3, 2]
  ) { x, _, g in
    g.reshape(g.slice(x, starts: [0, 0], limits: [3, 1], strides: [1, 1]), to: [3])
  }

  @Test(arguments: [(0, 2 / 3.0), (1, 0.5), (-1, 5 / 6.0), (0.2, 19 / 30.0)] as [(Double, Double)])
  func theMarginLossHasThePublishedValues(_ slope: Double, _ expected: Double) throws {
    let loss = try margin(GLSGAN.self, ["slope": slope, "margin_scale": 0.25])
    let found = try losses(loss)
    #expect(abs(found.loss - expected) < 1e-12)
    #expect(found.generator == 1)
    if slope == 0.2 {
      for (index, expected) in [0.2, 1, 1].enumerated() {
        #expect(abs(found.realSlopes[index] - expected / 3) < 1e-12)
        #expect(abs(found.fakeSlopes[index] + expected / 3) < 1e-12)
      }
    }
  }

  @Test func lsganIsTheGeneralisedOneWithoutASlope() throws {
    let values: [String: any Sendable] = ["margin_scale": 0.5, "real_weight": 0.25]
    let plain = try losses(try margin(LSGAN.self, values))
    let general = try losses(try margin(GLSGAN.self, values.merging(["slope": 0.0]) { $1 }))
    #expect(plain.loss == general.loss)
    // Margins of 1: a = (0, 1, 2); and ¼·E L_r.
    #expect(abs(plain.loss - 1.25) < 1e-12)
  }

  @Test(arguments: [
    (SampleDistance.l1Sum, 7.0), (.l1Mean, 3.5), (.l2, 5), (.l2Mean, 12.5.squareRoot()),
  ])
  func distancesAreTheirFormulas(_ distance: SampleDistance, _ expected: Double) throws {
    let run = AdversarialRun(real: [0, 0], fake: [3, -4], shape: [1, 2]) { x, _, g in
      g.multiply(g.sum(x, [1]), 0)
    }
    let found = try run(
      try margin(LSGAN.self, ["distance": distance, "margin_scale": 1.0]))
    #expect(abs(found.loss - expected) < 1e-12)
    #expect(found.sampleGradient == [0, 0])
  }

  /// With ν = 1 the loss is E margin + E L_r − E L_f; and max(a, νa) never increases with ν.
  @Test func theSlopesIdentityAndOrder() throws {
    func loss(_ slope: Double) throws -> Double {
      try losses(try margin(GLSGAN.self, ["slope": slope, "margin_scale": 0.4])).loss
    }
    let whole = try loss(1)
    #expect(abs(whole - 0.8) < 1e-12)
    let values = try [-2, -1, 0, 0.2, 0.7, 1].map(loss)
    #expect(zip(values, values.dropFirst()).allSatisfy { $0 >= $1 })
  }

  @Test func theMarginLossIsFlatExactlyWhereEveryPairHasItsMargin() throws {
    func run(_ slope: Double) throws -> AdversarialRun.Result {
      try AdversarialRun.linear(w: [-slope], real: [3], fake: [1])(
        try margin(LSGAN.self, ["margin_scale": 1.0]))
    }
    #expect(try run(1).loss == 0 && run(1.5).loss == 0)
    #expect(try run(1.5).gradients["w"] == [0])
    #expect(abs(try run(0.75).loss - 0.5) < 1e-12)
  }

  // MARK: gan_qp

  @Test(arguments: [(GANQP.Distance.l1Mean, -2.64, -0.76), (.l2Mean, -2.70, -0.80)])
  func qpHasThePublishedValues(
    _ distance: GANQP.Distance, _ expected: Double, _ slope: Double
  ) throws {
    let run = AdversarialRun(
      real: [1, 0, 2, -1], fake: [0, 0, 0, 1], shape: [1, 4],
      parameters: ["t": ([], [3])]
    ) { x, parameters, g in
      // v_r = 3 + v_f: a step of 3 along the first element, which is 1 at the real sample.
      let first = g.slice(x, starts: [0, 0], limits: [1, 1], strides: [1, 1])
      return g.multiply(
        g.reshape(first, to: [1]), g.broadcast(parameters["t"]!, to: [1], axes: []))
    }
    let found = try run(GANQP(arguments(["distance": distance])))
    #expect(abs(found.loss - expected) < 1e-12)
    #expect(abs(found.gradients["t"]![0] - slope) < 1e-12)
    #expect(found.generator == 3)
  }

  /// Two points at distance d: λd/2 at δ = λd, and the generator's objective is twice that.
  @Test(arguments: [0.5, 2])
  func qpOfTwoPointsIsHalfLambdaTimesTheDistance(_ distance: Double) throws {
    func run(_ slope: Double) throws -> AdversarialRun.Result {
      try AdversarialRun.linear(w: [slope], real: [distance], fake: [0])(GANQP(arguments()))
    }
    let best = try least(0, 30) { try run($0).loss }
    #expect(abs(-best.value - 5 * distance) < 1e-9)
    #expect(abs(best.at * distance - 10 * distance) < 1e-5)
    #expect(abs(try run(10).generator - 10 * distance) < 1e-12)
  }

  /// p = (P, 1 − P), q = (Q, 1 − Q) on two points at distance 1, all four pairs with their weights:
  /// value λd(P − Q)²/(2(P + Q − 2PQ)) at z = λd(P − Q)/(P + Q − 2PQ); 2 at 8 for ¾ and ¼.
  @Test func qpOfMixedPointsHasItsValue() throws {
    // 16 pairs stand for the product of the two distributions: 12 × 4 of real at 1 and 4 × 12.
    var (real, fake): ([Double], [Double]) = ([], [])
    for r in 0..<4 { for f in 0..<4 {
      real.append(r < 3 ? 1 : 0)
      fake.append(f < 1 ? 1 : 0)
    } }
    func run(_ z: Double) throws -> AdversarialRun.Result {
      try AdversarialRun.linear(w: [z], real: real, fake: fake)(GANQP(arguments()))
    }
    let best = try least(0, 30) { try run($0).loss }
    #expect(abs(best.at - 8) < 1e-4)
    #expect(abs(-best.value - 2) < 1e-9)
    #expect(abs(try run(8).generator - 4) < 1e-12)
  }

  @Test func qpOfEqualSamplesIsFinite() throws {
    let found = try AdversarialRun.linear(w: [2], real: [1], fake: [1])(GANQP(arguments()))
    #expect(found.loss == 0)
    #expect(found.gradients["w"]!.allSatisfy { $0.isFinite })
  }

  // MARK: hinge_gan, least_squares_gan, relativistic

  private let triple = AdversarialRun.scores(real: [2, 0.5, -1], fake: [-2, 0, 0.5])

  @Test func hingeHasThePublishedValues() throws {
    let found = try triple(HingeGAN(arguments()))
    #expect(abs(found.loss - 1.6666666667) < 1e-9)
    #expect(abs(found.generator - 0.5) < 1e-12)
    let scaled = try triple(HingeGAN(arguments(["critic_scale": 2.0])))
    #expect(abs(scaled.loss - (0 + 0 + 3 + 0 + 1 + 2) / 3.0) < 1e-12)
    #expect(abs(scaled.generator - 1) < 1e-12)
  }

  /// 2 − K·d for a K-Lipschitz critic of two points at distance d with K·d ≤ 2, then 0.
  @Test(arguments: [(0.25, 2, 1.5), (1, 0.5, 1.5), (1, 2, 0), (3, 2, 0)] as [(Double, Double, Double)])
  func hingeOfTwoPointsIsLinearUntilItsMargin(
    _ bound: Double, _ distance: Double, _ expected: Double
  ) throws {
    let best = try least(0, bound) { slope in
      try AdversarialRun.linear(
        w: [slope], b: -slope * distance / 2, real: [distance], fake: [0])(
          HingeGAN(arguments())).loss
    }
    #expect(abs(best.value - expected) < 1e-9)
  }

  @Test func leastSquaresHasThePublishedValues() throws {
    let found = try triple(LeastSquaresGAN(arguments()))
    #expect(abs(found.loss - 1.5833333333) < 1e-9)
    #expect(abs(found.generator - 1.7083333333) < 1e-9)
    let pearson = try triple(
      LeastSquaresGAN(arguments(["fake": -1.0, "real": 1.0, "generator": 0.0])))
    #expect(abs(pearson.generator - (4 + 0 + 0.25) / 6) < 1e-12)
  }

  @Test func relativisticHasThePublishedValue() throws {
    let found = try triple(Relativistic(arguments()))
    #expect(abs(found.loss - 0.7312133967) < 1e-10)
    #expect(abs(found.generator - (sp(4) + sp(0.5) + sp(-1.5)) / 3) < 1e-12)
  }

  @Test func relativisticAgainstTheMeanIsItsFormula() throws {
    let found = try triple(Relativistic(arguments(["against": Relativistic.Against.mean])))
    let (real, fake) = ([2, 0.5, -1], [-2, 0, 0.5])
    let (meanReal, meanFake) = (0.5, -0.5)
    var total = 0.0
    for v in real { total += sp(meanFake - v) / 6 }
    for v in fake { total += sp(v - meanReal) / 6 }
    #expect(abs(found.loss - total) < 1e-12)
  }

  // MARK: all of them

  static let variants: [(name: String, make: @Sendable () throws -> any AdversarialLoss)] =
    LossesCatalog.adversarial.filter { $0.kind != "f_gan" }.map { type in
      (type.kind, { try type.init(arguments()) })
    }
    + divergences.map { divergence in
      ("f_gan \(divergence)", { try divergence.loss() })
    }

  /// Every derivative that training uses, against differences of the loss itself: in the scores'
  /// shift and slope of a curved critic, through penalties.
  @Test(arguments: variants.indices)
  func gradientsAreDifferencesOfTheLoss(_ index: Int) throws {
    let loss = try Self.variants[index].make()
    func run(_ w: [Double], fake: [Double]) throws -> AdversarialRun.Result {
      let run = AdversarialRun(
        real: [0.3, -0.2, 0.9, 0.4, -0.5, 0.1], fake: fake, shape: [3, 2],
        epsilon: [0.2, 0.6, 0.9], parameters: ["w": ([2], w)]
      ) { x, parameters, g in
        let rows = g.broadcast(trailing: parameters["w"]!, to: g.shape(x))
        let linear = g.sum(g.multiply(x, rows), [1])
        return g.add(linear, g.multiply(g.sum(g.unary(.tanh, g.multiply(rows, x)), [1]), 0.5))
      }
      return try run(loss)
    }
    let (w, fake) = ([0.7, -0.4], [0.5, 0.6, -0.3, 0.2, 0.1, -0.8])
    let found = try run(w, fake: fake)
    let h = 1e-6
    for i in 0..<2 {
      func value(_ shift: Double) throws -> Double {
        var moved = w
        moved[i] += shift
        return try run(moved, fake: fake).loss
      }
      let slope = (try value(h) - value(-h)) / (2 * h)
      #expect(abs(found.gradients["w"]![i] - slope) < 1e-6 * max(1, abs(slope)))
    }
    for i in 0..<6 {
      func value(_ shift: Double) throws -> Double {
        var moved = fake
        moved[i] += shift
        return try run(w, fake: moved).generator
      }
      let slope = (try value(h) - value(-h)) / (2 * h)
      #expect(abs(found.sampleGradient[i] - slope) < 1e-6 * max(1, abs(slope)))
    }
  }

  /// From a critic that cannot tell, a step along the critic's loss raises real scores over
  /// generated ones, or lowers them where the critic is a loss; and the generator's step then moves
  /// generated scores the real way.
  @Test(arguments: variants.indices)
  func everyFamilyPullsItsWay(_ index: Int) throws {
    let loss = try Self.variants[index].make()
    let sign: Double = loss.isRealHigh ? 1 : -1
    var run = AdversarialRun.scores(real: [0.1, 0.1], fake: [-0.1, 0.2])
    run.epsilon = [0.5, 0.5]
    let found = try run(loss)
    let real = found.realSlopes.reduce(0, +) * sign
    #expect(real < 0)
    #expect(found.generatorSlopes.allSatisfy { $0 * sign < 0 })
  }
}
