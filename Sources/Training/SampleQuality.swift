import Model

/// How generated points lie about the modes of their data.
public struct ModeCoverage: Sendable, Equatable {
  /// Modes with at least one sample within three deviations, and with a fifth of their fair share.
  public let covered: Int
  public let filled: Int
  public let modes: Int
  /// The share of samples within three deviations of a mode.
  public let highQuality: Double
  /// Of these, the share that is near the mode of the class asked for; nil where none is.
  public let asAsked: Double?

  /// - Parameters:
  ///   - samples: points one after the other, as many numbers each as a mode's centre has.
  ///   - classes: sample i was asked to be of class i mod `classes`, whose mode has its number.
  public init(of samples: [Float], modes: Modes, classes: Int? = nil) {
    let size = modes.centres.first?.count ?? 1
    let count = samples.count / size
    let limit = 9 * modes.deviation * modes.deviation
    var hits = [Int](repeating: 0, count: modes.centres.count)
    var asked = 0
    for sample in 0..<count {
      var best: (mode: Int, distance: Double)?
      for (mode, centre) in modes.centres.enumerated() {
        var distance = 0.0
        for axis in 0..<size {
          let difference = Double(samples[sample * size + axis]) - centre[axis]
          distance += difference * difference
        }
        if distance <= best?.distance ?? .infinity { best = (mode, distance) }
      }
      guard let best, best.distance <= limit else { continue }
      hits[best.mode] += 1
      if let classes, best.mode == sample % classes { asked += 1 }
    }
    self.modes = hits.count
    covered = hits.count { $0 > 0 }
    let share = 0.2 * Double(count) / Double(max(hits.count, 1))
    filled = hits.count { Double($0) >= share && $0 > 0 }
    let near = hits.reduce(0, +)
    highQuality = Double(near) / Double(max(count, 1))
    asAsked = classes.map { _ in Double(asked) / Double(max(near, 1)) }
  }
}

/// The Wasserstein-1 distance of two samples of the same size: the least mean Euclidean distance
/// over all ways to pair them, exactly, by linear assignment.
///
/// Both samples hold points of `size` numbers one after the other. Shortest augmenting paths with
/// potentials, O(n³).
public func wassersteinDistance(_ a: [Float], _ b: [Float], size: Int) -> Double {
  precondition(a.count == b.count && size > 0, "lgc's own bug: samples of different sizes")
  let n = a.count / size
  if n == 0 { return 0 }
  var cost = [Double](repeating: 0, count: n * n)
  for i in 0..<n {
    for j in 0..<n {
      var square = 0.0
      for axis in 0..<size {
        let difference = Double(a[i * size + axis]) - Double(b[j * size + axis])
        square += difference * difference
      }
      cost[i * n + j] = square.squareRoot()
    }
  }
  let partner = cost.withUnsafeBufferPointer { assignment($0, n) }
  return (0..<n).reduce(0) { $0 + cost[partner[$1] * n + $1] } / Double(n)
}

/// The row of each column in the cheapest assignment of an n×n matrix.
private func assignment(_ cost: UnsafeBufferPointer<Double>, _ n: Int) -> [Int] {
  // Index n is the column that the row to be added starts from.
  var rowOf = [Int](repeating: -1, count: n + 1)
  var before = [Int](repeating: n, count: n + 1)
  var rowPotential = [Double](repeating: 0, count: n)
  var columnPotential = [Double](repeating: 0, count: n + 1)
  var shortest = [Double](repeating: 0, count: n + 1)
  var isDone = [Bool](repeating: false, count: n + 1)
  for row in 0..<n {
    rowOf[n] = row
    for column in 0...n {
      shortest[column] = .infinity
      isDone[column] = false
    }
    var column = n
    repeat {
      isDone[column] = true
      let current = rowOf[column]
      var next = n
      var least = Double.infinity
      for other in 0..<n where !isDone[other] {
        let length =
          cost[current * n + other] - rowPotential[current] - columnPotential[other]
        if length < shortest[other] {
          shortest[other] = length
          before[other] = column
        }
        if shortest[other] < least {
          least = shortest[other]
          next = other
        }
      }
      for other in 0...n {
        if isDone[other] {
          rowPotential[rowOf[other]] += least
          columnPotential[other] -= least
        } else {
          shortest[other] -= least
        }
      }
      column = next
    } while rowOf[column] != -1
    while column != n {
      let previous = before[column]
      rowOf[column] = rowOf[previous]
      column = previous
    }
  }
  return Array(rowOf.prefix(n))
}
