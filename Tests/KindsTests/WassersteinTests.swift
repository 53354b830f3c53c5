import Losses
import Model
import Testing

@Suite struct WassersteinTests {
  static func gp(_ values: [String: any Sendable] = [:]) -> WGANGP { WGANGP(arguments(values)) }

  @Test func wganIsTheDifferenceOfMeanScores() throws {
    let found = try AdversarialRun.scores(real: [2, 0.5, -1], fake: [-2, 0, 0.5])(
      WGAN(arguments()))
    #expect(abs(found.loss + 1) < 1e-15)
    #expect(abs(found.generator - 0.5) < 1e-15)
    #expect(found.realSlopes == [Double](repeating: -1.0 / 3, count: 3))
    #expect(found.fakeSlopes == [Double](repeating: 1.0 / 3, count: 3))
    #expect(found.generatorSlopes == [Double](repeating: -1.0 / 3, count: 3))
  }

  /// f = w·x, w = (3, 4), λ = 10: both penalties are 10·(5 − 1)² with gradient 80·w/5.
  @Test(arguments: [WGANGP.Sided.two, .one])
  func theLinearCriticsPenaltyAndItsGradientAreKnown(_ sided: WGANGP.Sided) throws {
    let run = AdversarialRun.linear(
      w: [3, 4], real: [1, 2, -1, 0.5], fake: [0, 1, 2, 2], epsilon: [0.25, 0.75])
    let found = try run(Self.gp(["sided": sided]))
    let plain = try run(WGAN(arguments()))
    #expect(abs(found.penalty! - 160) < 1e-9)
    #expect(abs(found.loss - plain.loss - 160) < 1e-9)
    for (index, expected) in [48.0, 64].enumerated() {
      let gradient = found.gradients["w"]![index] - plain.gradients["w"]![index]
      #expect(abs(gradient - expected) < 1e-9)
    }
  }

  @Test func onlyTheTwoSidedPenaltyMindsFlatCritics() throws {
    let run = AdversarialRun.linear(
      w: [0.3, 0.4], real: [1, 2], fake: [0, 1], epsilon: [0.5])
    let penalty = try run(Self.gp()).penalty!
    #expect(abs(penalty - 2.5) < 1e-9)
    let oneSided = try run(Self.gp(["sided": WGANGP.Sided.one])).penalty!
    #expect(oneSided == 0)
  }

  /// f = ‖x‖²/2 has the gradient x: interpolations of norm 5 and ½ give 10·(16 + ¼)/2.
  @Test func thePenaltyIsTheMeanOverSamplesOfTheirOwnNorms() throws {
    let run = AdversarialRun(
      real: [3, 4, 0.5, 0], fake: [-3, -4, 0.5, 7], shape: [2, 2], epsilon: [1, 1]
    ) { x, _, g in g.multiply(g.sum(g.square(x), [1]), 0.5) }
    let penalty = try run(Self.gp()).penalty!
    #expect(abs(penalty - 81.25) < 1e-9)
  }

  @Test func interpolationsWeighTheRealSampleByEpsilon() throws {
    // ∇f = x again, so the norm tells where x̂ is: ¼·4 + ¾·8 = 7.
    let run = AdversarialRun(real: [4], fake: [8], shape: [1, 1], epsilon: [0.25]) { x, _, g in
      g.multiply(g.sum(g.square(x), [1]), 0.5)
    }
    let penalty = try run(Self.gp()).penalty!
    #expect(abs(penalty - 10 * 36) < 1e-9)
  }

  @Test func aDeadCriticHasAFinitePenaltyAndGradient() throws {
    let run = AdversarialRun.linear(w: [0, 0], real: [1, 2], fake: [0, 1], epsilon: [0.5])
    let found = try run(Self.gp())
    #expect(abs(found.penalty! - 10) < 1e-4)
    #expect(found.gradients["w"]!.allSatisfy { $0.isFinite })
  }

  /// Two points at distance d: over slopes s the minimum of −s·d + λ(s − 1)² is −(d + d²/(4λ)) at
  /// s = 1 + d/(2λ); d = 2, λ = 10 give 2.1 at 1.1.
  @Test(arguments: [WGANGP.Sided.two, .one])
  func thePenaltyMovesTheOptimumOfTwoPoints(_ sided: WGANGP.Sided) throws {
    let loss = Self.gp(["sided": sided])
    func value(_ slope: Double) throws -> AdversarialRun.Result {
      try AdversarialRun.linear(w: [slope], real: [2], fake: [0], epsilon: [0.3])(loss)
    }
    let best = try value(1.1)
    #expect(abs(best.loss + 2.1) < 1e-9)
    #expect(abs(best.gradients["w"]![0]) < 1e-9)
    let (below, above) = (try value(1.05).loss, try value(1.15).loss)
    #expect(below > best.loss && above > best.loss)
  }
}
