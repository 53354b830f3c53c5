import Glibc
import Model
import Tensors

/// The point sets that generative models of the plane are tried on; `Synthetic.Name` has their
/// formulas. The Gaussian mixtures and the swiss roll are those of Gulrajani et al. (2017).
struct PlaneSet {
  let name: Synthetic.Name
  let noise: Double
  /// The number of classes of `blobs`.
  var blobs = 3

  /// What everything is divided by.
  private var scale: Double {
    switch name {
    case .eightGaussians: 1.414
    case .twentyFiveGaussians: 2.828
    case .swissRoll: 7.5
    case .twoMoons, .circles, .spirals, .blobs, .noise: 1
    }
  }

  /// The centres before they are scaled; none for sets that are curves.
  private var centres: [(x: Double, y: Double)] {
    switch name {
    case .eightGaussians:
      (0..<8).map { mode in
        let angle = Double(mode) * Double.pi / 4
        return (x: 2 * cos(angle), y: 2 * sin(angle))
      }
    case .twentyFiveGaussians:
      (0..<25).map { mode in
        let (row, column) = mode.quotientAndRemainder(dividingBy: 5)
        return (x: Double(2 * row - 4), y: Double(2 * column - 4))
      }
    case .blobs:
      (0..<blobs).map { mode in
        let angle = 2 * Double.pi * Double(mode) / Double(blobs)
        return (x: cos(angle), y: sin(angle))
      }
    case .twoMoons, .swissRoll, .circles, .spirals, .noise: []
    }
  }

  var modes: Modes? {
    if centres.isEmpty || noise == 0 { return nil }
    return Modes(
      centres: centres.map { [$0.x / scale, $0.y / scale] }, deviation: noise / scale)
  }

  private var classCount: Int {
    switch name {
    case .swissRoll, .noise: 1
    case .twoMoons, .circles, .spirals: 2
    case .eightGaussians, .twentyFiveGaussians: centres.count
    case .blobs: blobs
    }
  }

  /// Point i has class i mod the number of classes; then all are put into a random order. Places,
  /// noise and order are streams of their own.
  func draw(count: Int, seed: UInt64, split: String) -> Samples {
    func stream(_ part: String) -> PhiloxGenerator {
      PhiloxGenerator(seed: seed, stream: "data.\(name.rawValue).\(split).\(part)")
    }
    var (places, deviates, order) = (stream("place"), stream("noise"), stream("order"))
    let points = (0..<count).map { index -> (x: Float, y: Float, label: Int32) in
      let label = index % classCount
      let place = self.place(label, &places)
      let x = (place.x + noise * deviates.normal()) / scale
      let y = (place.y + noise * deviates.normal()) / scale
      return (Float(x), Float(y), Int32(label))
    }
    let shuffled = order.permutation(of: count).map { points[Int($0)] }
    return Samples(
      shape: [2], count: count, storage: .floats(shuffled.flatMap { [$0.x, $0.y] }),
      labels: shuffled.map(\.label), classCount: classCount)
  }

  private func place(_ label: Int, _ random: inout PhiloxGenerator) -> (x: Double, y: Double) {
    func turned(_ angle: Double, _ radius: Double) -> (x: Double, y: Double) {
      (radius * cos(angle), radius * sin(angle))
    }
    switch name {
    case .eightGaussians, .twentyFiveGaussians: return centres[label]
    case .blobs: return turned(2 * Double.pi * Double(label) / Double(blobs), 1)
    case .twoMoons, .noise: return (0, 0)
    case .swissRoll:
      let t = 1.5 * Double.pi * (1 + 2 * random.uniform())
      return turned(t, t)
    case .circles: return turned(2 * Double.pi * random.uniform(), label == 0 ? 1 : 0.5)
    case .spirals:
      let t = 3 * Double.pi * random.uniform().squareRoot()
      return turned(t, (label == 0 ? t : -t) / (3 * Double.pi))
    }
  }
}
