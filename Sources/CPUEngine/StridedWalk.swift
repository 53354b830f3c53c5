import CKernels
import Tensors

/// A walk over the elements of an array with a distance per axis in two memories, written with as
/// few axes as it can be.
struct StridedWalk {
  struct Axis {
    var extent: Int
    var to: Int
    var from: Int
  }
  private(set) var axes: [Axis]

  init(extents: [Int], to: [Int], from: [Int]) {
    axes = extents.indices.filter { extents[$0] != 1 }
      .map { Axis(extent: extents[$0], to: to[$0], from: from[$0]) }
    joinNeighbours()
  }

  /// Two axes that one distance covers are one axis.
  private mutating func joinNeighbours() {
    var joined: [Axis] = []
    for axis in axes {
      if let outer = joined.last, outer.to == axis.to * axis.extent,
        outer.from == axis.from * axis.extent
      {
        joined[joined.count - 1] = Axis(
          extent: outer.extent * axis.extent, to: axis.to, from: axis.from)
      } else {
        joined.append(axis)
      }
    }
    axes = joined.isEmpty ? [Axis(extent: 1, to: 1, from: 1)] : joined
  }

  /// Puts the axis along which the source is contiguous next to the last, where the copy kernel
  /// turns it in blocks, and the longest of the others first, where it is cut between threads.
  mutating func arrangeForCopy() {
    guard axes.count > 1 else { return }
    if let last = axes.last, last.to == 1, last.from > 1,
      let contiguous = axes.firstIndex(where: { $0.from == 1 })
    {
      let axis = axes.remove(at: contiguous)
      axes.insert(axis, at: axes.count - 1)
    }
    bringForward(axes.indices.dropLast(2))
  }

  /// Puts the longest kept axis first, where the fold kernel can be cut between threads.
  mutating func arrangeForFold() {
    bringForward(axes.indices.dropLast(1).filter { axes[$0].to != 0 })
  }

  private mutating func bringForward(_ candidates: some Sequence<Int>) {
    if let longest = candidates.max(by: { axes[$0].extent < axes[$1].extent }) {
      axes.insert(axes.remove(at: longest), at: 0)
    }
  }
}
