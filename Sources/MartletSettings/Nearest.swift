/// The word that was probably meant: the nearest by edits (insert, remove, replace, swap neighbours; letter case is free), when it is
/// near enough to be worth saying. Words over 64 bytes have none.
func nearest(to word: String, among known: some Sequence<String>) -> String? {
    let limit = 64
    guard !word.isEmpty, word.utf8.count <= limit else { return nil }
    let wanted = Array(word.lowercased().utf8)
    var best: (word: String, distance: Int)?
    for candidate in known where candidate.utf8.count <= limit {
        let distance = edits(wanted, Array(candidate.lowercased().utf8))
        if distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    guard let best, best.distance <= max(1, min(wanted.count, best.word.utf8.count) / 3) else { return nil }
    return best.word
}

private func edits(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var above = [Int](0...b.count)
    var twoAbove = above
    for i in 0..<a.count {
        var row = [i + 1]
        for j in 0..<b.count {
            var cost = min(above[j + 1] + 1, row[j] + 1, above[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, twoAbove[j - 1] + 1) }
            row.append(cost)
        }
        (twoAbove, above) = (above, row)
    }
    return above[b.count]
}
