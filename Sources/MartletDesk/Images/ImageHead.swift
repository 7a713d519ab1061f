/// What a picture may be. Raw values are stored: never change one.
public enum ImageKind: UInt8, CaseIterable, Sendable {
    case png = 1
    case jpeg = 2
    case gif = 3

    public var mediaType: String {
        switch self {
        case .png: "image/png"
        case .jpeg: "image/jpeg"
        case .gif: "image/gif"
        }
    }

    /// For people.
    var word: String {
        switch self {
        case .png: "PNG"
        case .jpeg: "JPEG"
        case .gif: "GIF"
        }
    }
}

/// Kind and size of a picture, as its own bytes say: nobody's word for it counts, neither a file's name nor a Content-Type.
public struct ImageHead: Equatable, Sendable {
    public var kind: ImageKind
    /// Pixels.
    public var width: Int
    public var height: Int

    /// Bytes, and pixels of either side.
    public static let bytesMost = 1 << 20
    public static let pixelsMost = 4096

    /// Reads the frame of the whole file, not what is painted in it.
    /// - Throws: which limit it does not keep, or where it is no picture of a kind that is taken.
    public init(reading bytes: [UInt8]) throws(FieldFault) {
        guard bytes.count <= ImageHead.bytesMost else {
            throw FieldFault("", "too_large", "it has \(bytes.count) bytes; \(ImageHead.bytesMost) are the most")
        }
        guard let kind = ImageHead.kind(of: bytes) else { throw ImageHead.unknown(bytes) }
        let size =
            switch kind {
            case .png: ImageHead.png(bytes)
            case .jpeg: ImageHead.jpeg(bytes)
            case .gif: ImageHead.gif(bytes)
            }
        guard let size else { throw FieldFault("", "damaged", "it begins as a \(kind.word), and is none, or not all of it") }
        for (name, pixels) in [("width", size.width), ("height", size.height)] where !(1...ImageHead.pixelsMost).contains(pixels) {
            throw FieldFault(
                name, pixels == 0 ? "required" : "too_large", "its \(name) is \(pixels) pixels; 1 to \(ImageHead.pixelsMost) are taken")
        }
        (self.kind, width, height) = (kind, size.width, size.height)
    }

    /// By the first bytes.
    private static func kind(of bytes: [UInt8]) -> ImageKind? {
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
        if bytes.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
        if bytes.starts(with: Array("GIF87a".utf8)) || bytes.starts(with: Array("GIF89a".utf8)) { return .gif }
        return nil
    }

    private static func unknown(_ bytes: [UInt8]) -> FieldFault {
        let start = String(decoding: bytes.prefix(1000), as: UTF8.self).lowercased()
        guard start.contains("<svg") else { return FieldFault("", "unknown_format", "it is no PNG, JPEG or GIF") }
        return FieldFault("", "unknown_format", "it is an SVG, which can hold programs; send it as a PNG")
    }

    private static func number(_ bytes: [UInt8], _ at: Int, _ count: Int, isBig: Bool = true) -> Int? {
        guard at >= 0, at + count <= bytes.count else { return nil }
        var number = 0
        for offset in 0..<count { number = number << 8 | Int(bytes[at + (isBig ? offset : count - 1 - offset)]) }
        return number
    }

    /// Chunks from IHDR to IEND, with nothing behind (PNG, third edition, sections 5.2 to 5.6, 11.2.1).
    private static func png(_ bytes: [UInt8]) -> (width: Int, height: Int)? {
        let depths: [UInt8: [UInt8]] = [0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16]]
        guard number(bytes, 8, 4) == 13, bytes.count >= 33, Array(bytes[12..<16]) == Array("IHDR".utf8),
            let width = number(bytes, 16, 4), let height = number(bytes, 20, 4),
            depths[bytes[25]]?.contains(bytes[24]) ?? false, bytes[26] == 0, bytes[27] == 0, bytes[28] <= 1
        else { return nil }
        var at = 33
        var hasData = false
        while let length = number(bytes, at, 4), at + 12 + length <= bytes.count {
            let type = Array(bytes[(at + 4)..<(at + 8)])
            at += 12 + length
            if type == Array("IDAT".utf8) { hasData = true }
            if type == Array("IEND".utf8) { return hasData && length == 0 && at == bytes.count ? (width, height) : nil }
        }
        return nil
    }

    /// Segments up to the scan; the frame header says the size (ITU-T T.81, B.1.1, B.2.2).
    private static func jpeg(_ bytes: [UInt8]) -> (width: Int, height: Int)? {
        var at = 2
        var size: (width: Int, height: Int)?
        while at + 1 < bytes.count {
            guard bytes[at] == 0xFF else { return nil }
            let marker = bytes[at + 1]
            switch marker {
            // Fill octets.
            case 0xFF: at += 1
            // The scan: what follows is painted.
            case 0xDA: return bytes[at...].contains(0xD9) ? size : nil
            // Markers without a length have no place before the scan, the end least of all.
            case 0x00, 0x01, 0xD0...0xD9: return nil
            default:
                guard let length = number(bytes, at + 2, 2), length >= 2, at + 2 + length <= bytes.count else { return nil }
                let isFrame = (0xC0...0xCF).contains(marker) && ![0xC4, 0xC8, 0xCC].contains(marker)
                if isFrame {
                    guard size == nil, length >= 8, let height = number(bytes, at + 5, 2), let width = number(bytes, at + 7, 2) else {
                        return nil
                    }
                    size = (width, height)
                }
                at += 2 + length
            }
        }
        return nil
    }

    /// Blocks up to the trailer, with at least one picture, each within the screen (GIF89a, sections 18, 20, 27).
    private static func gif(_ bytes: [UInt8]) -> (width: Int, height: Int)? {
        guard let width = number(bytes, 6, 2, isBig: false), let height = number(bytes, 8, 2, isBig: false), bytes.count > 13 else {
            return nil
        }
        func table(_ packed: UInt8) -> Int { packed & 0x80 == 0 ? 0 : 3 << (Int(packed & 7) + 1) }
        var at = 13 + table(bytes[10])
        var hasPicture = false
        func skipBlocks() -> Bool {
            while at < bytes.count {
                let length = Int(bytes[at])
                at += 1 + length
                if length == 0 { return true }
            }
            return false
        }
        while at < bytes.count {
            switch bytes[at] {
            case 0x3B: return hasPicture ? (width, height) : nil
            case 0x21:
                at += 2
                guard skipBlocks() else { return nil }
            case 0x2C:
                guard let left = number(bytes, at + 1, 2, isBig: false), let top = number(bytes, at + 3, 2, isBig: false),
                    let wide = number(bytes, at + 5, 2, isBig: false), let high = number(bytes, at + 7, 2, isBig: false),
                    at + 10 < bytes.count, left + wide <= width, top + high <= height
                else { return nil }
                hasPicture = true
                // Behind it the least size of a code.
                at += 10 + table(bytes[at + 9]) + 1
                guard skipBlocks() else { return nil }
            default: return nil
            }
        }
        return nil
    }
}
