import Glibc
public import Logging
import MartletModel

/// Writes one JSON object a line to stderr: time, level, event, then the metadata in order of its keys. Control characters and bidirectional
/// marks are escaped, so that one event stays one line. Customer data never comes here; callers log ids, names of our own and numbers.
public struct JSONLogHandler: LogHandler {
    public var logLevel: Logger.Level = .info
    public var metadata: Logger.Metadata = [:]
    private let label: String
    private let write: @Sendable (String) -> Void

    public init(label: String, write: @escaping @Sendable (String) -> Void = JSONLogHandler.toStandardError) {
        self.label = label
        self.write = write
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var line = "{\"at\":\"\(timestamp(SystemClock().now().wall))\",\"level\":\"\(event.level.rawValue)\",\"part\":"
        JSONLogHandler.quote(label, into: &line)
        line += ",\"event\":"
        JSONLogHandler.quote(event.message.description, into: &line)
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for key in all.keys.sorted() {
            line += ","
            JSONLogHandler.quote(key, into: &line)
            line += ":"
            JSONLogHandler.quote(all[key]?.description ?? "", into: &line)
        }
        write(line + "}\n")
    }

    public static let toStandardError: @Sendable (String) -> Void = { line in
        var line = line
        line.withUTF8 { bytes in
            var done = 0
            // A log that cannot be written must not stop the server: after an error the line is lost, as stderr itself is.
            while done < bytes.count {
                let count = Glibc.write(2, bytes.baseAddress! + done, bytes.count - done)
                if count <= 0 { return }
                done += count
            }
        }
    }

    static func quote(_ text: String, into line: inout String) {
        line += "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22: line += "\\\""
            case 0x5C: line += "\\\\"
            case 0..<0x20, 0x7F...0x9F, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069:
                let hex = String(scalar.value, radix: 16)
                line += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: line.unicodeScalars.append(scalar)
            }
        }
        line += "\""
    }
}
