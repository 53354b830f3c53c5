import CKernels
import Tensors

extension Planner {
  func planProduct(_ index: Int, _ tail: ProductTail) {
    let node = graph.nodes[index]
    guard case .dot(let dot) = node.kind else { return }
    let sources = node.operands.map { reads.source($0, readBy: index) }
    let left = buffer(sources[0])
    let right = buffer(sources[1])
    let bias = tail.bias.map { buffer($0) }
    let leftShape = graph.nodes[node.operands[0]].shape
    var product = PlannedProduct(
      rows: node.shape[0], columns: node.shape[1],
      inner: dot.transposeLeft ? leftShape[0] : leftShape[1], dot: dot, left: left, right: right,
      results: [], cut: LGC_WHOLE, parts: 1, bias: bias, relu: tail.relu)
    let mayKeepParts =
      tail.result == index && !isRequired(index)
      && reads.readers[index].allSatisfy { reads.isLooped($0) }
    let ownsRight = graph.nodes[sources[1]].isState
    (product.cut, product.parts) = cut(product, ownsRight: ownsRight, mayKeepParts: mayKeepParts)
    if product.cut == LGC_CUT_INNER {
      product.results = (0..<product.parts).map { _ in newBuffer(node.count) }
      setStorage(index, .parts(product.results))
    } else {
      let operands = [left, right] + (bias.map { [$0] } ?? [])
      product.results = [resultBuffer(tail.result, reading: operands)]
    }
    let packing = Int(withUnsafePointer(to: product.geometry) { lgc_product_scratch($0) })
    if packing > 0, options.ownProducts { product.scratch = newBuffer(packing * product.parts) }
    add(.product(product), product.label, node.origin)
  }

  /// Where to cut a product between threads. The rows of a weight [out, in] belong to the thread
  /// that updates them: it makes their share of the outputs (columns of x·Wᵀ), of the weight
  /// gradient (rows of gᵀ·x) and of the input gradient (a part of the sum g·W).
  private func cut(
    _ product: PlannedProduct, ownsRight: Bool, mayKeepParts: Bool
  ) -> (lgc_cut, Int) {
    let threads = options.threads
    let work = product.rows * product.columns * product.inner
    guard threads > 1, work >= 1 << 18 else { return (LGC_WHOLE, 1) }
    func wide(_ extent: Int) -> Bool { extent >= 16 * threads }
    let dot = product.dot
    if !dot.transposeLeft && !dot.transposeRight && ownsRight && mayKeepParts,
      product.inner >= 128 * threads, threads <= PlanOptions.maximumParts
    {
      return (LGC_CUT_INNER, threads)
    }
    let byColumns = !dot.transposeLeft && dot.transposeRight
    let preferred = byColumns ? LGC_CUT_COLUMNS : LGC_CUT_ROWS
    let other = byColumns ? LGC_CUT_ROWS : LGC_CUT_COLUMNS
    if wide(byColumns ? product.columns : product.rows) { return (preferred, threads) }
    if wide(byColumns ? product.rows : product.columns) { return (other, threads) }
    return product.columns > product.rows ? (LGC_CUT_COLUMNS, threads) : (LGC_CUT_ROWS, threads)
  }
}

extension PlannedProduct {
  /// What the kernel needs to know but for addresses.
  var geometry: lgc_product {
    var product = lgc_product()
    product.m = Int64(rows)
    product.n = Int64(columns)
    product.k = Int64(inner)
    product.transpose_a = dot.transposeLeft ? 1 : 0
    product.transpose_b = dot.transposeRight ? 1 : 0
    product.cut = cut.rawValue
    product.parts = Int32(parts)
    product.relu = relu ? 1 : 0
    return product
  }

  fileprivate var label: String {
    let form = (dot.transposeLeft ? "T" : "N") + (dot.transposeRight ? "T" : "N")
    let division =
      switch cut {
      case LGC_CUT_ROWS: ", rows in \(parts)"
      case LGC_CUT_COLUMNS: ", columns in \(parts)"
      case LGC_CUT_INNER: ", sum in \(parts)"
      default: ""
      }
    return "product \(form) \(rows)×\(columns)×\(inner)\(division)"
      + (bias == nil ? "" : " + bias") + (relu ? ", relu" : "")
  }
}
