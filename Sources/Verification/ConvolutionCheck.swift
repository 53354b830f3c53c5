import Rounding

/// Checks of a convolution's operator norm (that of its adjoint is the same in L2, and L1 and L∞
/// change places).
struct ConvolutionCheck {
  private let geometry: StatedConvolution
  private let weight: [Double]
  private let axes: [AxisReads]

  /// - Parameter weight: [outputs, inputs/groups, kernel…].
  init(_ geometry: StatedConvolution, _ weight: [Double]) {
    self.geometry = geometry
    self.weight = weight
    let plain = StatedConvolution.Axis(
      extent: 1, kernel: 1, stride: 1, dilation: 1, low: 0, high: 0)
    let two = geometry.axes.count == 1 ? [plain] + geometry.axes : geometry.axes
    // Padding that nothing reads is none.
    let isPadded = two.contains { AxisReads($0, .zeros).readsPadding }
    axes = two.map { AxisReads($0, isPadded ? geometry.padding : .zeros) }
  }

  func holds(
    _ bound: Double, _ norm: Norm, isTransposed: Bool, _ evidence: StatedEvidence
  ) throws(VerificationError) -> Bool? {
    if case .zero = evidence { return weight.allSatisfy { $0 == 0 } }
    guard norm == .l2 else {
      guard case .sums = evidence else { return nil }
      return sum(rows: (norm == .linf) != isTransposed) <= bound
    }
    switch evidence {
    case .interpolation: return interpolated <= bound
    case .groups(let parts):
      guard parts.count == geometry.groups else { return false }
      for (group, part) in parts.enumerated() {
        guard let holds = try one(group).holds(bound, part) else { return nil }
        if !holds { return false }
      }
      return true
    default:
      for group in 0..<geometry.groups {
        guard let holds = try one(group).holds(bound, evidence) else { return nil }
        if !holds { return false }
      }
      return true
    }
  }

  private func sum(rows: Bool) -> Double {
    convolutionSum(
      weight, outputs: geometry.outputs, inputs: geometry.inputs, groups: geometry.groups, axes,
      rows: rows)
  }

  /// √(l₁·l∞), at least ‖T‖₂.
  var interpolated: Double {
    Directed.squareRootUp(Directed.productUp(sum(rows: true), sum(rows: false)))
  }

  private func one(_ group: Int) -> GroupCheck {
    let (outputs, inputs) = (geometry.outputs / geometry.groups, geometry.inputs / geometry.groups)
    let size = weight.count / geometry.groups
    return GroupCheck(
      weight: Array(weight[group * size..<(group + 1) * size]), outputs: outputs, inputs: inputs,
      axes: axes)
  }
}

/// One group of a convolution, ‖T‖₂.
struct GroupCheck {
  let weight: [Double]
  let outputs: Int
  let inputs: Int
  let axes: [AxisReads]

  private var padding: StatedConvolution.Padding { axes[0].padding }

  /// nil where the evidence is of a kind that does not apply.
  func holds(
    _ bound: Double, _ evidence: StatedEvidence
  ) throws(VerificationError) -> Bool? {
    let largest = weight.reduce(0) { max($0, $1.magnitude) }
    if largest == 0 { return true }
    switch evidence {
    case .zero: return false
    case .interpolation:
      let sums = [true, false].map {
        convolutionSum(
          weight, outputs: outputs, inputs: inputs, groups: 1, axes, rows: $0)
      }
      return Directed.squareRootUp(Directed.productUp(sums[0], sums[1])) <= bound
    case .kernelMatrix(let part):
      // Each element read once: T is, position by position, columns of the kernel's matrix.
      guard axes.allSatisfy(\.isDisjoint) else { return false }
      return try withValues(weight) { (buffer) throws(VerificationError) in
        let check = SpectralCheck(
          values: buffer, rows: outputs, columns: weight.count / outputs)
        switch part {
        case .gram: return try check.gram(bound)
        case .frobenius: return check.frobenius(bound)
        default: return nil
        }
      }
    case .torus, .frequencyCover, .banded, .circular, .copies:
      // Scaled so that the largest entry lies in [1, 2).
      let exponent = Int(largest.exponent)
      let (first, second) = powers(-exponent)
      let scaled = GroupCheck(
        weight: weight.map { $0 * first * second }, outputs: outputs, inputs: inputs, axes: axes)
      let limit = Directed.scaledDown(bound, exponent: -exponent)
      // ‖T‖ ≥ max |w| where some output reads it, and far below 2¹⁰⁰.
      guard limit > 0x1p-60 else { return false }
      return limit > 0x1p200 ? true : try scaled.scaledHolds(limit, evidence)
    default: return nil
    }
  }

  private func scaledHolds(
    _ bound: Double, _ evidence: StatedEvidence
  ) throws(VerificationError) -> Bool? {
    switch (evidence, padding) {
    case (.banded, _):
      return try BandedCheck(weight: weight, outputs: outputs, inputs: inputs, axes: axes)
        .proves(bound)
    case (.torus(let sides, let twists), .zeros):
      return try torus(bound, sides, twists)
    case (.frequencyCover(let root, let bits), .zeros):
      return try symbol.provesCover(root: root, bits: bits, bound) ?? false
    case (.circular, .circular): return try circular(bound)
    case (.copies(let part), .reflect), (.copies(let part), .replicate):
      // T is the unpadded convolution of an image that is at most √copies as long as its input.
      let copies = axes.reduce(1) { $0 * $1.copies }
      let inner = Directed.quotientDown(bound, Directed.squareRootUp(Double(copies)))
      let unpadded = GroupCheck(
        weight: weight, outputs: outputs, inputs: inputs,
        axes: axes.map { reads in
          let axis = reads.axis
          return AxisReads(
            StatedConvolution.Axis(
              extent: axis.low + axis.extent + axis.high, kernel: axis.kernel,
              stride: axis.stride, dilation: axis.dilation, low: 0, high: 0), .zeros)
        })
      return try unpadded.scaledHolds(inner, part)
    default: return nil
    }
  }

  /// The symbol after dilation is removed: with g = gcd(stride, dilation), an axis falls into
  /// dilation/g independent undilated problems of stride stride/g.
  private var symbol: SymbolCheck {
    SymbolCheck(
      weight, outputs: outputs, inputs: inputs,
      offsets: axes.map { Array(0..<$0.axis.kernel) }, strides: axes.map(\.axis.reducedStride))
  }

  /// T is a compression of the (twisted) circulant on a torus on which no tap can wrap onto an
  /// element that is read; its blocks are the symbol at the torus's frequencies.
  private func torus(
    _ bound: Double, _ sides: [Int], _ twists: [Int]
  ) throws(VerificationError) -> Bool {
    let symbol = symbol
    guard sides.count == 2, twists.count == 2 else { return false }
    // Along an axis on which the symbol is constant any torus will do.
    for (axis, reads) in axes.enumerated() where symbol.degrees[axis] > 0 {
      guard sides[axis] >= reads.axis.leastSide else { return false }
    }
    return try symbol.provesTorus(sides: sides, twists: twists, bound)
  }

  /// T's rows are rows of a circulant on the input's own torus, each taken at most `repeats` times:
  /// along an axis whose stride s divides its n elements, of the one with stride s, which has the
  /// polyphase symbol at 2πj·s/n; else of the one with stride 1.
  private func circular(_ bound: Double) throws(VerificationError) -> Bool {
    var repeats = 1
    var strides: [Int] = []
    for reads in axes {
      let axis = reads.axis
      let period = axis.extent / greatestDivisor(axis.extent, axis.stride)
      repeats *= (axis.outputs + period - 1) / period
      strides.append(axis.extent % axis.stride == 0 ? axis.stride : 1)
    }
    let symbol = SymbolCheck(
      weight, outputs: outputs, inputs: inputs,
      offsets: axes.map { reads in (0..<reads.axis.kernel).map { $0 * reads.axis.dilation } },
      strides: strides)
    let inner = Directed.quotientDown(bound, Directed.squareRootUp(Double(repeats)))
    return try symbol.provesTorus(
      sides: zip(axes, strides).map { $0.axis.extent / $1 }, twists: [0, 0], inner)
  }
}

func greatestDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestDivisor(b, a % b) }

extension StatedConvolution.Axis {
  var reducedStride: Int { stride / greatestDivisor(stride, dilation) }

  /// The least side of a torus for zero padding: in each undilated sub-problem, for each phase of
  /// the input with its count of elements and the shifts of its taps (input minus output), at least
  /// count − least shift and outputs + largest shift.
  var leastSide: Int {
    let problems = dilation / greatestDivisor(stride, dilation)
    var least = 1
    for first in 0..<min(problems, outputs) {
      let count = (outputs - first + problems - 1) / problems
      let base = stride * first - low
      let residue = (base % dilation + dilation) % dilation
      let offset = (base - residue) / dilation
      let elements = residue < extent ? (extent - residue + dilation - 1) / dilation : 0
      for phase in 0..<min(reducedStride, elements) {
        let phaseCount = (elements - phase + reducedStride - 1) / reducedStride
        for tap in 0..<kernel where (tap + offset - phase) % reducedStride == 0 {
          let shift = (tap + offset - phase) / reducedStride
          least = max(least, phaseCount - shift, count + shift)
        }
      }
    }
    return least
  }
}
