import Glibc

/// A proof that σmax(K(ω)) ≤ L at every ω, from one test in each cell of a cover.
///
/// If ω* maximises σmax(K(·)), then σmax(K(ω)) ≥ L*·cos(τ/2) with τ = Σ Dₐ|ωₐ − ω*ₐ| ≤ 2π, by the
/// inequality of Bernstein and Szegő for Re e^{iα}uᴴK(ω* + sδ)v. So if σmax(K(c)) ≤ L·cos(½ Σ Dₐhₐ)
/// at the centre c of every cell of half-widths h, no maximum above L has a place to be.
struct FrequencyCover {
  let bound: Double
  let root: [Int]
  /// As `OperatorEvidence.frequencyCover` states.
  let bits: String

  private struct Cell {
    var level: [Int]
    var index: [Int]
    var firstChild = -1
    var isLeaf = false
  }

  /// - Parameters:
  ///   - excess: how far above the largest value found the bound may lie, relatively.
  ///   - budget: tests after which the excess grows; every one ends with a bound.
  init(_ gram: SymbolGram, _ search: SymbolSearch, excess: Double, budget: Int) {
    let degrees = gram.symbol.degrees
    // In units of π.
    let spans = [degrees[0] > 0 ? 1 : 0, degrees[1] == 0 ? 0 : (degrees[0] > 0 ? 2 : 1)]
    root = (0...1).map { axis in
      if degrees[axis] == 0 { return 0 }
      var level = 1
      while 1 << level < degrees[axis] { level += 1 }
      return level + (spans[axis] == 2 ? 1 : 0)
    }
    var cells: [Cell] = []
    for i in 0..<1 << root[0] {
      for j in 0..<1 << root[1] { cells.append(Cell(level: root, index: [i, j])) }
    }
    let roots = cells.count
    var pending = Array((0..<roots).reversed())
    var excess = excess
    var limit = search.largest * (1 + excess)
    var step = excess
    var tests = 0
    var allowed = budget
    func halfWidth(_ cell: Cell, _ axis: Int) -> Double {
      Double(spans[axis]) * .pi / Double(1 << (cell.level[axis] + 1))
    }
    func spread(_ cell: Cell) -> [Double] {
      (0...1).map { Double(degrees[$0]) * halfWidth(cell, $0) }
    }
    func frequency(_ cell: Cell) -> Frequency {
      Frequency(
        a: (0...1).map { (2 * cell.index[$0] + 1) * spans[$0] },
        n: (0...1).map { spans[$0] == 0 ? 1 : 1 << (cell.level[$0] + 1) })
    }
    while !pending.isEmpty {
      let count = min(pending.count, 2 * SymbolGram.Workspace.batch)
      let batch = Array(pending.suffix(count))
      pending.removeLast(count)
      let threshold = batch.map { index in
        let half = 0.5 * spread(cells[index]).reduce(0, +) * (1 + 0x1p-48)
        return half < 1.57 ? limit * (cos(half) - 0x1p-50) * (1 - 0x1p-50) : 0
      }
      tests += count
      let results = gram.proves(zip(batch, threshold).map { (frequency(cells[$0]), $1) })
      var raised = limit
      for (index, isProved) in zip(batch, results) {
        if isProved {
          cells[index].isLeaf = true
          continue
        }
        let parts = spread(cells[index])
        let half = 0.5 * (parts[0] + parts[1])
        if half < (2 * excess).squareRoot() {
          // So small that the candidate may be too low: look for more from here.
          let found = search.ascend(from: frequency(cells[index]).angles)
          raised = max(raised, found * (1 + excess))
          if half < 0.3 * (2 * excess).squareRoot(), raised == limit {
            // The search does not see it: by growing steps.
            raised = max(limit * (1 + step), gram.absoluteFrobenius * 1e-6)
            step *= 2
          }
          if raised > limit {
            pending.append(index)
            continue
          }
        }
        if tests > allowed {
          excess *= 4
          allowed += budget
          raised = max(raised, search.largest * (1 + excess))
          pending.append(index)
          continue
        }
        let axis = parts[0] >= parts[1] ? 0 : 1
        cells[index].firstChild = cells.count
        for side in [0, 1] {
          var child = Cell(level: cells[index].level, index: cells[index].index)
          child.level[axis] += 1
          child.index[axis] = 2 * child.index[axis] + side
          pending.append(cells.count)
          cells.append(child)
        }
      }
      limit = raised
    }
    bound = limit
    var bits: [UInt8] = []
    var stack = Array((0..<roots).reversed())
    while let index = stack.popLast() {
      bits.append(UInt8(ascii: cells[index].isLeaf ? "1" : "0"))
      if !cells[index].isLeaf {
        stack.append(cells[index].firstChild + 1)
        stack.append(cells[index].firstChild)
      }
    }
    self.bits = String(decoding: bits, as: UTF8.self)
  }
}
