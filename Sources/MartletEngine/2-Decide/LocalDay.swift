import Calendar
public import MartletModel

extension ZoneNames {
    /// Days since 1970 where the customer lives.
    /// - Parameters:
    ///   - now: wall microseconds.
    ///   - zoneFile: the bytes of a zone as tzdata installs it, by its name; nil: the machine has none, and it is the day of UTC.
    public func day(of customer: borrowing Customer, at now: Int64, zoneFile: (String) -> [UInt8]?) -> UInt16 {
        let zone = name(of: customer).flatMap(zoneFile).flatMap { WordingPreview.zone($0) } ?? .utc
        return UInt16(clamping: zone.local(at: floorSeconds(now)).day.number)
    }
}
