import Tensors

/// A bound of a symbol on a finite set of frequencies: the torus of given sides, twisted.
///
/// A zero-padded convolution is a compression of the circulant on a torus of sides N where
/// wrapping around multiplies by exp(iφ), for every φ, as soon as no tap can reach a read element
/// by wrapping: with n_r inputs of phase r, n_o outputs and the taps M_r (input minus output) of
/// that phase, N ≥ max over r of max(n_r − min M_r, n_o + max M_r). The circulant is
/// block-diagonal in the frequencies (2πj + φ)/N, so ‖T‖ ≤ max over j of σmax(K(ωⱼ)). All taps
/// count in M_r, also those that nothing reads through: they could wrap onto something.
struct TorusProof {
  let bound: Double
  let sides: [Int]
  let twists: [Int]

  /// The frequencies of a torus, one of each pair of conjugates.
  static func frequencies(sides: [Int], twists: [Int]) -> [Frequency] {
    var result: [Frequency] = []
    for j in 0..<sides[0] {
      for k in 0..<sides[1] {
        let a = (sides[0] - twists[0] - j + sides[0]) % sides[0]
        let b = (sides[1] - twists[1] - k + sides[1]) % sides[1]
        if (a, b) < (j, k) { continue }
        result.append(Frequency(a: [2 * j + twists[0], 2 * k + twists[1]], n: sides))
      }
    }
    return result
  }

  /// The bound on one torus; nil where the test fails however large the bound (never but for
  /// symbols whose rounding errors exceed their size).
  init?(_ gram: SymbolGram, _ search: SymbolSearch, sides: [Int], twists: [Int]) {
    self.sides = sides
    self.twists = twists
    var pending = Self.frequencies(sides: sides, twists: twists)
    var limit = pending.reduce(0) { best, frequency in
      max(best, search.estimate(at: frequency.angles))
    } * (1 + 1e-7)
    if limit == 0 { limit = gram.absoluteFrobenius * 1e-3 }
    var slack = 1e-6
    while true {
      let bound = limit
      let results = gram.proves(pending.map { ($0, bound) })
      pending = zip(pending, results).filter { !$1 }.map(\.0)
      if pending.isEmpty { break }
      if slack > 1 { return nil }
      let found = pending.prefix(64).reduce(0) { max($0, search.value(at: $1.angles, steps: 40)) }
      limit = max(limit * (1 + slack), found * (1 + 1e-7))
      slack *= 4
    }
    bound = limit
  }

  /// The torus that the peaks suggest: sides from the least on, either twist, whose frequencies
  /// lie lowest beside the peaks.
  static func choice(_ search: SymbolSearch, least: [Int], degrees: [Int]) -> (
    sides: [Int], twists: [Int]
  ) {
    let options = (0...1).map { axis in
      degrees[axis] == 0 ? [(1, 0)] : (0..<4).flatMap { extra in
        [(least[axis] + extra, 0), (least[axis] + extra, 1)]
      }
    }
    var best: (sides: [Int], twists: [Int])?
    var lowest = Double.infinity
    for (n, phi) in options[0] {
      for (m, psi) in options[1] {
        let height = search.estimateNearPeaks(sides: [n, m], twists: [phi, psi])
        // A larger torus has more frequencies to test.
        if height < lowest * (1 - 1e-4) {
          lowest = height
          best = ([n, m], [phi, psi])
        }
      }
    }
    return best ?? ([options[0][0].0, options[1][0].0], [0, 0])
  }
}

extension SymbolSearch {
  /// √(largest trace of the peaks' vectors) at one frequency: below σmax, and close beside peaks.
  func estimate(at angles: [Double]) -> Double {
    traces.reduce(0) { max($0, $1.value(angles)) }.squareRoot()
  }

  /// The same, the largest over the frequencies of a torus next to the peaks and their conjugates.
  func estimateNearPeaks(sides: [Int], twists: [Int]) -> Double {
    var largest = 0.0
    for (peak, trace) in zip(peaks, traces) {
      for sign in [1.0, -1.0] {
        var near: [[Double]] = []
        for axis in 0...1 {
          let n = Double(sides[axis])
          let phi = .pi * Double(twists[axis])
          let j = ((sign * peak.angles[axis] * n - phi) / (2 * .pi)).rounded(.down)
          near.append([(2 * .pi * j + phi) / n, (2 * .pi * (j + 1) + phi) / n])
        }
        for a in near[0] {
          for b in near[1] { largest = max(largest, trace.value([sign * a, sign * b])) }
        }
      }
    }
    return max(0, largest).squareRoot()
  }
}

/// One spatial axis of a convolution with zero padding, dilation removed.
struct PlainAxis {
  /// s′ = stride / gcd(stride, dilation).
  let stride: Int
  /// The least side of a torus that holds every sub-problem.
  let leastSide: Int

  init(_ axis: WindowAxis) {
    let (s, d) = (axis.stride, axis.dilation)
    var (a, b) = (s, d)
    while b != 0 { (a, b) = (b, a % b) }
    let (phases, reduced) = (d / a, s / a)
    stride = reduced
    var least = 1
    for first in 0..<min(phases, axis.outputs) {
      let outputs = (axis.outputs - first + phases - 1) / phases
      // Tap 0 of the sub-problem's output 0 reads the position `base`, element `offset` of the
      // inputs ≡ residue modulo d.
      let base = s * first - axis.low
      let residue = ((base % d) + d) % d
      let offset = (base - residue) / d
      let inputs = residue < axis.extent ? (axis.extent - residue + d - 1) / d : 0
      if inputs == 0 { continue }
      for phase in 0..<reduced {
        let taps = (0..<axis.kernel).map { $0 + offset - phase }.filter { $0 % reduced == 0 }
          .map { $0 / reduced }
        let count = phase < inputs ? (inputs - phase + reduced - 1) / reduced : 0
        guard let low = taps.min(), let high = taps.max(), count > 0 else { continue }
        least = max(least, count - low, outputs + high)
      }
    }
    leastSide = least
  }
}
