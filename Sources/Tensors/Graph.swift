import Diagnostics

/// A tensor in a graph: the index of the node that computes it.
public struct Value: Hashable, Sendable, Comparable {
  public let index: Int
  public init(_ index: Int) { self.index = index }
  public static func < (a: Value, b: Value) -> Bool { a.index < b.index }
}

/// What in the description a node was made for; kept through every pass, so that an engine's error
/// or a profile line can name a layer and its place.
public struct Origin: Hashable, Sendable {
  public let name: String
  public let span: Span?
  public init(name: String, span: Span? = nil) {
    self.name = name
    self.span = span
  }
}

/// One primitive applied to operands that were computed before it.
public struct GraphNode: Hashable, Sendable {
  public let op: Op
  public let operands: [Value]
  public let shape: Shape
  public let origin: Origin?

  public init(op: Op, operands: [Value], shape: Shape, origin: Origin? = nil) {
    self.op = op
    self.operands = operands
    self.shape = shape
    self.origin = origin
  }

  /// The same node over operands of the same shapes in another graph.
  func reading(_ operands: [Value]) -> GraphNode {
    GraphNode(op: op, operands: operands, shape: shape, origin: origin)
  }
}

/// A static single-assignment tensor graph: every node's operands stand before it.
///
/// A graph is over the real numbers; the engine that runs it chooses the number format
/// (`ReferenceEngine` float64, `CPUEngine` float32).
public struct Graph: Sendable {
  public var nodes: [GraphNode] = []
  public init(nodes: [GraphNode] = []) { self.nodes = nodes }
  public subscript(_ value: Value) -> GraphNode { nodes[value.index] }
  public func shape(_ value: Value) -> Shape { nodes[value.index].shape }
}

/// A graph with what it is run for: named inputs and state (its leaves), named results, and the
/// values that replace state when the run ends.
///
/// State updates take effect together after every read: an update never sees another's result.
public struct Program: Sendable {
  public struct Output: Hashable, Sendable {
    public var name: String
    public var value: Value
    public init(_ name: String, _ value: Value) {
      self.name = name
      self.value = value
    }
  }
  /// `state ← value` at the end of the run.
  public struct Update: Hashable, Sendable {
    public var state: String
    public var value: Value
    public init(_ state: String, _ value: Value) {
      self.state = state
      self.value = value
    }
  }

  public var name: String
  public var graph: Graph
  public var outputs: [Output]
  public var updates: [Update]

  public init(name: String, graph: Graph, outputs: [Output], updates: [Update] = []) {
    self.name = name
    self.graph = graph
    self.outputs = outputs
    self.updates = updates
  }

  /// The input leaves, name → shape.
  public var inputs: [String: Shape] {
    var result: [String: Shape] = [:]
    for node in graph.nodes {
      if case .input(let leaf) = node.op { result[leaf.name] = node.shape }
    }
    return result
  }

  /// The state leaves that are read or written, name → shape.
  public var states: [String: Shape] {
    var result: [String: Shape] = [:]
    for node in graph.nodes {
      if case .state(let leaf) = node.op { result[leaf.name] = node.shape }
    }
    for update in updates where result[update.state] == nil {
      result[update.state] = graph.shape(update.value)
    }
    return result
  }
}
