import MartletModel

/// A moment as documents of the admin API show it: RFC 3339 in UTC with microseconds.
public struct APIMoment: Codable, Hashable, Sendable {
    /// Wall milliseconds since 1970.
    public var milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }
    /// - Parameter seconds: since 1970.
    public init(seconds: UInt32) { milliseconds = Int64(seconds) * 1000 }

    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let microseconds = moment(text.utf8) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "a time with its zone as 2026-11-23T10:00:00Z"))
        }
        milliseconds = microseconds / 1000
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(timestamp(milliseconds * 1000))
    }
}
