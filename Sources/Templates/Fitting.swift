extension Template {
    /// Renders, and shortens the value that has the filter `fit` until the text fits: letters are taken from its end, three dots stand for
    /// them, and at least as many as the filter says are kept. When even that is too long, or no value may be shortened, the text is
    /// what it is, and `fits` of it is false: a text is never cut anywhere else.
    ///
    /// - Parameter fits: whether a text is short enough, by whoever knows what a letter costs (parts of a short message). The shorter
    ///   of two must not fit worse. It is asked about ten times at most for values of up to a thousand letters.
    ///   Only a text that does not fit costs memory, for its other lengths.
    /// - Returns: octets used, and whether the text fits.
    public func render(
        _ values: Record, into buffer: UnsafeMutableBufferPointer<UInt8>, fits: (UnsafeBufferPointer<UInt8>) -> Bool
    ) throws(RenderFault) -> (octets: Int, fits: Bool) {
        let rendered = try render(values, into: buffer)
        let whole = UnsafeBufferPointer(rebasing: UnsafeBufferPointer(buffer)[..<rendered.octets])
        if fits(whole) { return (rendered.octets, true) }
        guard let stretch = rendered.stretch, let base = buffer.baseAddress else { return (rendered.octets, false) }
        let ends = Self.letterEnds(of: whole, in: stretch)
        guard ends.count > rendered.keep else { return (rendered.octets, false) }

        let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: rendered.octets + 3)
        defer { copy.deallocate() }
        // The most letters that fit lie in low...high; `low` is what is taken when nothing does.
        var low = rendered.keep
        var high = ends.count - 1
        var best: Int?
        while low <= high {
            let middle = (low + high) / 2
            let octets = Self.shorten(whole, stretch, keeping: middle, ends, into: copy)
            if fits(UnsafeBufferPointer(rebasing: copy[..<octets])) {
                best = middle
                low = middle + 1
            } else {
                high = middle - 1
            }
        }
        guard let best else { return (rendered.octets, false) }
        let octets = Self.shorten(whole, stretch, keeping: best, ends, into: copy)
        // Dots may take the room of fewer octets than they have.
        guard octets <= buffer.count, let from = copy.baseAddress else { throw .full }
        base.update(from: from, count: octets)
        return (octets, true)
    }

    /// Where each letter of `stretch` ends, as an offset from its begin.
    private static func letterEnds(of text: UnsafeBufferPointer<UInt8>, in stretch: Range<Int>) -> [Int] {
        guard let base = text.baseAddress else { return [] }
        // Only read: the output is a view for finding letters.
        let view = UnsafeMutableBufferPointer(mutating: UnsafeBufferPointer(rebasing: text[stretch]))
        var output = Output(view, spare: UnsafeMutablePointer(mutating: base))
        output.grow(by: stretch.count)
        var ends: [Int] = []
        var place = 0
        while place < stretch.count {
            place = output.nextLetter(after: place)
            ends.append(place)
        }
        return ends
    }

    private static func shorten(
        _ text: UnsafeBufferPointer<UInt8>, _ stretch: Range<Int>, keeping letters: Int, _ ends: [Int],
        into copy: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        var kept = stretch.lowerBound + (letters > 0 ? ends[letters - 1] : 0)
        while kept > stretch.lowerBound, text[kept - 1] == 0x20 { kept -= 1 }
        var count = 0
        for index in 0..<kept {
            copy[count] = text[index]
            count += 1
        }
        if letters > 0 {
            for _ in 0..<3 {
                copy[count] = 0x2E
                count += 1
            }
        }
        for index in stretch.upperBound..<text.count {
            copy[count] = text[index]
            count += 1
        }
        return count
    }
}
