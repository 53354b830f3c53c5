/// Columns padded to their widest cell, two blanks between them, none at the ends of lines.
func aligned(_ rows: [[String]], rightAligned: Set<Int>) -> [String] {
  let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
  return rows.map { row in
    var line = ""
    for (column, cell) in row.enumerated() {
      let padding = String(repeating: " ", count: widths[column] - cell.count)
      line += rightAligned.contains(column) ? padding + cell : cell + padding
      line += "  "
    }
    while line.last == " " { line.removeLast() }
    return line
  }
}
