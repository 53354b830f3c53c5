import Tensors
import Testing

@Suite struct VerifierTests {
  private func message(_ program: Program) -> String? {
    do throws(VerifierError) { try program.verify() } catch { return error.description }
    return nil
  }

  private func program(
    _ nodes: [GraphNode], outputs: [Program.Output] = [], updates: [Program.Update] = []
  ) -> Program {
    Program(name: "p", graph: Graph(nodes: nodes), outputs: outputs, updates: updates)
  }

  private let x = GraphNode(op: .input(Input(name: "x", shape: [2])), operands: [], shape: [2])
  private let w = GraphNode(op: .state(State(name: "w", shape: [3])), operands: [], shape: [3])

  @Test func aSoundProgramPasses() {
    let good = program(
      [x, w, GraphNode(op: .unary(.negate), operands: [Value(1)], shape: [3])],
      outputs: [.init("x", Value(0))], updates: [.init("w", Value(2))])
    #expect(message(good) == nil)
  }

  @Test func everyFaultIsNamedAsOurs() {
    let own = "lgc's own bug: program 'p' is malformed: "
    let late = GraphNode(
      op: .unary(.negate), operands: [Value(1)], shape: [2], origin: Origin(name: "fc1"))
    #expect(
      message(program([x, late]))
        == own + "%1 (negate) reads %1, which does not stand before it (made for fc1)")
    #expect(
      message(program([x, GraphNode(op: .unary(.negate), operands: [Value(0)], shape: [3])]))
        == own + "%1 (negate) is recorded as 3 but is 2")
    #expect(
      message(
        program([x, w, GraphNode(op: .binary(.add), operands: [Value(0), Value(1)], shape: [2])]))
        == own + "%2 (add): operands are 2 and 3")
    let other = GraphNode(op: .input(Input(name: "x", shape: [4])), operands: [], shape: [4])
    #expect(message(program([x, other])) == own + "input 'x' is both 2 and 4")
    #expect(
      message(program([x], outputs: [.init("y", Value(1))]))
        == own + "output 'y' is %1, which does not exist")
    #expect(
      message(program([x], outputs: [.init("y", Value(0)), .init("y", Value(0))]))
        == own + "two outputs are named 'y'")
    #expect(
      message(program([w], updates: [.init("w", Value(0)), .init("w", Value(0))]))
        == own + "state 'w' is updated twice")
    #expect(
      message(program([x, w], updates: [.init("w", Value(0))]))
        == own + "state 'w' is both 3 and 2")
    let leaf = GraphNode(op: .constant(Constant(1, shape: [2])), operands: [Value(0)], shape: [2])
    #expect(message(program([x, leaf])) == own + "%1 (constant): takes no operands")
  }
}
