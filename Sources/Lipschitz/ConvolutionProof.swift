import Glibc
import Model
import Rounding
import Tensors

/// Bounds of ‖T‖₂ of a convolution T, every one a proof of its own; `bound` chooses by cost.
///
/// Groups are blocks of a block-diagonal matrix: the norm is the largest of theirs. Of one group:
/// - `banded`, the operator itself, borders included: `BandedProof`. Chosen wherever its
///   operations stay below `affordable`.
/// - One tap after the reductions (1×1, patches) and zero padding: the dense proof of the kernel
///   matrix, exact where some output reads its whole window.
/// - Zero padding: `TorusProof` where the torus has few frequencies, else `FrequencyCover`, which
///   holds for every size.
/// - Circular padding: the input's own torus (rule C).
/// - Reflected and replicated padding: √m times the bound of the unpadded convolution on the padded
///   input, m the largest number of copies of one element (rule P).
struct ConvolutionProof<Scalar: StoredScalar> {
  let weight: [Scalar]
  let map: ConvolutionMap

  /// Operations that the banded factorisations of one convolution may take.
  static var affordable: Double { 2e11 }

  init(_ weight: [Scalar], _ map: ConvolutionMap) {
    self.weight = weight
    self.map = map
  }

  /// A way to prove, for those who compare them; nil in `bound` chooses.
  enum Way { case banded, kernel, torus, cover, interpolation }

  func bound(_ way: Way? = nil) throws(ProofError) -> OperatorBound {
    try LinearAlgebra.open()
    if map.groups == 1 {
      return try GroupProof(self, group: 0, budget: Self.affordable).bound(way)
    }
    var bounds: [OperatorBound] = []
    for group in 0..<map.groups {
      let proof = GroupProof(self, group: group, budget: Self.affordable / Double(map.groups))
      bounds.append(try proof.bound(way))
    }
    let largest = bounds.max { $0.upper < $1.upper }!
    return OperatorBound(
      upper: largest.upper, lower: bounds.compactMap(\.lower).max(), method: largest.method,
      evidence: .groups(bounds.map(\.evidence)))
  }

  /// √(‖T‖₁·‖T‖∞).
  var interpolation: OperatorBound {
    let product = map.sums(weight, rows: true).upper * map.sums(weight, rows: false).upper
    return OperatorBound(
      upper: product.squareRoot(), lower: nil, method: .interpolation, evidence: .interpolation)
  }
}

/// One group of a convolution, its weights scaled by 2⁻ᵉ to at most 1.
struct GroupProof<Scalar: StoredScalar> {
  let map: ConvolutionMap
  let weight: [Scalar]
  let exponent: Int
  private let budget: Double
  private let isZero: Bool

  init(_ proof: ConvolutionProof<Scalar>, group: Int, budget: Double) {
    map = proof.map.single
    let size = map.outputs * map.inputs * map.taps
    weight = Array(proof.weight[group * size..<(group + 1) * size])
    let largest = weight.reduce(Scalar(0)) { max($0, $1.magnitude) }
    isZero = largest == 0
    exponent = largest == 0 ? 0 : Int(Double(largest).exponent) + 1
    self.budget = budget
  }

  /// The scaled weight; exact but for underflow far below the rounding that is accounted for.
  func entry(_ index: Int) -> Double {
    let half = -exponent / 2
    return Double(weight[index]) * Double(sign: .plus, exponent: half, significand: 1)
      * Double(sign: .plus, exponent: -exponent - half, significand: 1)
  }

  func bound(_ way: ConvolutionProof<Scalar>.Way? = nil) throws(ProofError) -> OperatorBound {
    if isZero { return .zero }
    let interpolated = ConvolutionProof(weight, map).interpolation
    var found = try attempt(way)
    if found == nil, way == nil { found = try spectral() }
    guard let found, found.upper < interpolated.upper else {
      // Zero where nothing is read but padding and zero taps.
      let isZero = interpolated.upper == .zero
      return OperatorBound(
        upper: interpolated.upper, lower: isZero ? .zero : found?.lower, method: .interpolation,
        evidence: .interpolation)
    }
    return found
  }

  private func attempt(
    _ way: ConvolutionProof<Scalar>.Way?
  ) throws(ProofError) -> OperatorBound? {
    switch way {
    case .banded: return banded(BandedProof.layout(map))
    case .kernel: return try kernelMatrix()
    case .torus, .cover: return try spectral(way)
    case .interpolation: return nil
    case nil:
      let layout = BandedProof.layout(map)
      let products = Double(map.taps * layout.channels)
      let isAffordable = layout.cost < budget && products * products < 5e7
      if isSingleTap {
        let (rows, columns) = (Double(map.outputs), Double(map.inputs * map.taps))
        let dense = min(rows, columns) * rows * columns
        // Where no output reads its whole window the borders matter.
        if readsWholeWindow || !isAffordable { return try kernelMatrix() }
        if dense < layout.cost, readsWholeWindow { return try kernelMatrix() }
      }
      return isAffordable ? banded(layout) : nil
    }
  }

  // MARK: banded

  private func banded(_ layout: BandedProof.Layout) -> OperatorBound? {
    let image = ConvolutionImage(map, entry: entry)
    let candidate = lanczos(order: layout.order, steps: 400, tolerance: 1e-11) { x in
      layout.isOutputSide ? image.forward(image.adjoint(x)) : image.adjoint(image.forward(x))
    }
    let proof = BandedProof(map, layout: layout, entry: entry)
    let lower = rayleigh(image, candidate.vector, adjoint: layout.isOutputSide)
    let lambda = candidate.value
    guard lambda > 0, lambda.isFinite else { return nil }
    let rounding = proof.roundingPerUnit + proof.gramRounding / lambda
    let least = max(8 * rounding, 3 * candidate.error / lambda, 1e-9)
    func square(_ slack: Double) -> Double? { proof.provedSquare(shift: lambda * (1 + slack)) }
    var high = least
    var low: Double?
    var proved = square(high)
    while proved == nil {
      low = high
      high *= 5
      guard lambda * (1 + high) < proof.trivialSquare else { return nil }
      proved = square(high)
    }
    // The candidate was too low: closer to where the proof begins to hold.
    if var low, high > 4e-7 {
      for _ in 0..<3 {
        let middle = (low * high).squareRoot()
        if let better = square(middle) {
          (proved, high) = (better, middle)
        } else {
          low = middle
        }
      }
    }
    return OperatorBound(
      upper: unscaled(proved!.squareRoot().nextUp), lower: lower, method: .banded,
      evidence: .banded)
  }

  /// ‖T·x‖/‖x‖ rounded down, of T or its adjoint.
  private func rayleigh(
    _ image: ConvolutionImage, _ x: [Double], adjoint: Bool
  ) -> LowerBound {
    let y = adjoint ? image.adjoint(x) : image.forward(x)
    let (xSquare, ySquare) = (dot(x, x), dot(y, y))
    guard ySquare.isFinite, xSquare > 0x1p-300, xSquare < 0x1p300 else { return .zero }
    let terms = Double(max(x.count, y.count) + 8) * 0x1p-52
    let size = UpperBound(proved: xSquare * (1 + terms)).squareRoot()
    let length = LowerBound(proved: max(0, ySquare * (1 - terms) - 0x1p-900)).squareRoot()
    // |computed − exact| ≤ 1.01·(m + 2)u·|T||x|, and ‖|T|‖² ≤ l₁·l∞.
    let loss = map.absoluteNorm { entry($0).magnitude } * size
      * UpperBound(proved: Double(image.terms + 4) * 0x1p-52) + UpperBound(proved: 0x1p-900)
    let ratio = (length - loss) / size
    return LowerBound(proved: Directed.scaledDown(ratio.value, exponent: exponent))
  }

  // MARK: one tap

  /// Zero padding, and all taps of the reduced convolution at one place.
  private var isSingleTap: Bool {
    map.padding == .zeros && map.windows.allSatisfy { $0.kernel <= PlainAxis($0).stride }
  }

  /// Whether some output reads no padding.
  private var readsWholeWindow: Bool {
    map.axes.allSatisfy { axis in
      (0..<axis.outputs).contains { output in
        (0..<axis.taps).allSatisfy { axis.element(output, $0) >= 0 }
      }
    }
  }

  /// The dense proof of [outputs, inputs·taps]: T is a compression of copies of that matrix side by
  /// side on the diagonal.
  private func kernelMatrix() throws(ProofError) -> OperatorBound? {
    guard isSingleTap else { return nil }
    let dense = try denseBound(
      weight, rows: map.outputs, columns: map.inputs * map.taps, norm: .l2)
    return OperatorBound(
      upper: dense.upper, lower: readsWholeWindow ? dense.lower : nil, method: .kernelMatrix,
      evidence: .kernelMatrix(dense.evidence))
  }

  // MARK: frequencies

  /// Torus or cover, whichever way the padding allows and the cost suggests.
  private func spectral(
    _ way: ConvolutionProof<Scalar>.Way? = nil
  ) throws(ProofError) -> OperatorBound? {
    switch map.padding {
    case .zeros: return zeroPadded(map, way)
    case .circular: return circular()
    case .reflect, .replicate:
      guard let plain = zeroPadded(map.unpadded, way) else { return nil }
      let copies = UpperBound(proved: Double(map.copies)).squareRoot()
      return OperatorBound(
        upper: plain.upper * copies, lower: waveLower(nil), method: .copies,
        evidence: .copies(of: plain.evidence))
    }
  }

  private func zeroPadded(
    _ map: ConvolutionMap, _ way: ConvolutionProof<Scalar>.Way?
  ) -> OperatorBound? {
    let plain = map.windows.map(PlainAxis.init)
    let symbol = PolyphaseSymbol(
      outputs: map.outputs, inputs: map.inputs,
      offsets: map.windows.map { Array(0..<$0.kernel) }, strides: plain.map(\.stride)
    ) { [taps = map.taps, inputs = map.inputs] output, input, tap in
      entry((output * inputs + input) * taps + tap)
    }
    let gram = SymbolGram(symbol)
    let search = SymbolSearch(symbol)
    let lower = waveLower(search)
    let points = (0...1).reduce(0.5) {
      $0 * (symbol.degrees[$1] == 0 ? 1 : Double(plain[$1].leastSide))
    }
    let d = Double(gram.order)
    let isSmall = points <= 1000 || points * (1.4 * d * d * d + 2e4) <= 3e9
    if way == .torus || (way == nil && isSmall) {
      let (sides, twists) = TorusProof.choice(
        search, least: plain.map(\.leastSide), degrees: symbol.degrees)
      if let torus = TorusProof(gram, search, sides: sides, twists: twists) {
        return OperatorBound(
          upper: unscaled(torus.bound * Self.margin), lower: lower, method: .torus,
          evidence: .torus(sides: torus.sides, twists: torus.twists))
      }
    }
    let excess = d <= 64 ? 1e-6 : (d <= 128 ? 1e-4 : 1e-3)
    let budget = Int(max(1000, min(20_000, 2e10 / (1.4 * d * d * d + 2e4))))
    let cover = FrequencyCover(gram, search, excess: excess, budget: budget)
    return OperatorBound(
      upper: unscaled(cover.bound * Self.margin), lower: lower, method: .frequencies,
      evidence: .frequencyCover(root: cover.root, bits: cover.bits))
  }

  /// Room for a checker with other constants.
  private static var margin: Double { 1 + 0x1p-30 }

  /// Along an axis of n elements, with s | n: T's outputs repeat after N = n/s, and on them T is
  /// block-diagonal in the frequencies 2πj/N of the polyphase symbol. Otherwise its rows are rows of
  /// the circulant of stride 1, which repeat after n/gcd(s, n). Repeated k times, √k.
  private func circular() -> OperatorBound? {
    var strides: [Int] = []
    var sides: [Int] = []
    var repeats = 1
    for window in map.windows {
      let (n, s) = (window.extent, window.stride)
      var (a, b) = (s, n)
      while b != 0 { (a, b) = (b, a % b) }
      let period = n / a
      strides.append(n % s == 0 ? s : 1)
      sides.append(n % s == 0 ? n / s : n)
      repeats *= (window.outputs + period - 1) / period
    }
    let symbol = PolyphaseSymbol(
      outputs: map.outputs, inputs: map.inputs,
      offsets: map.windows.map { window in (0..<window.kernel).map { $0 * window.dilation } },
      strides: strides
    ) { [taps = map.taps, inputs = map.inputs] output, input, tap in
      entry((output * inputs + input) * taps + tap)
    }
    let search = SymbolSearch(symbol)
    guard
      let torus = TorusProof(SymbolGram(symbol), search, sides: sides, twists: [0, 0])
    else { return nil }
    let bound = unscaled(torus.bound * Self.margin)
      * UpperBound(proved: Double(repeats)).squareRoot()
    return OperatorBound(
      upper: bound, lower: waveLower(nil), method: .circular, evidence: .circular)
  }

  /// A value that ‖T·x‖/‖x‖ reaches: a few power iterations from the wave of the symbol's largest
  /// peak under a sine window, or from a pseudo-random x.
  private func waveLower(_ search: SymbolSearch?) -> LowerBound {
    let image = ConvolutionImage(map, entry: entry)
    let flops = 4.0 * Double(map.taps * map.inputs * map.outputs)
      * Double(map.axes[0].outputs * map.axes[1].outputs)
    let steps = max(2, min(60, Int(2e10 / flops)))
    let start = search.flatMap { wave($0) }
    let pair = lanczos(order: image.inputCount, steps: steps, tolerance: 1e-6, start: start) {
      image.adjoint(image.forward($0))
    }
    return rayleigh(image, pair.vector, adjoint: false)
  }

  /// Re v·exp(iω·x) under a window, for plain convolutions of stride 1.
  private func wave(_ search: SymbolSearch) -> [Double]? {
    guard let peak = search.peaks.first, peak.vector.count == 2 * map.inputs,
      map.windows.allSatisfy({ $0.stride == 1 && $0.dilation == 1 })
    else { return nil }
    let (height, width) = (map.axes[0].inputs, map.axes[1].inputs)
    var x = [Double](repeating: 0, count: height * width * map.inputs)
    for i in 0..<height {
      for j in 0..<width {
        let window = sin(.pi * Double(i + 1) / Double(height + 1))
          * sin(.pi * Double(j + 1) / Double(width + 1))
        let phase = peak.angles[0] * Double(i) + peak.angles[1] * Double(j)
        let (c, s) = (cos(phase) * window, sin(phase) * window)
        let base = (i * width + j) * map.inputs
        for channel in 0..<map.inputs {
          x[base + channel] = c * peak.vector[channel] - s * peak.vector[map.inputs + channel]
        }
      }
    }
    return x
  }

  private func unscaled(_ value: Double) -> UpperBound {
    UpperBound(proved: Directed.scaledUp(value.nextUp, exponent: exponent))
  }
}
