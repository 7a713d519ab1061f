/// What is sealed under a subject's key outside the log. Records of the log are sealed with their own id, whose first half is never so small.
extension SealContext {
    /// The details of a customer, and those of a device that it registered.
    public static func details(of subject: UInt32) -> SealContext { SealContext(high: 0, low: UInt64(subject), kind: 1) }

    /// The proof of a consent, by the consent's number.
    public static func consent(_ number: Int64, of subject: UInt32) -> SealContext {
        SealContext(high: UInt64(bitPattern: number), low: UInt64(subject), kind: 2)
    }

    /// What a contact made elsewhere was about, by its number.
    public static func contact(_ number: Int64, of subject: UInt32) -> SealContext {
        SealContext(high: UInt64(bitPattern: number), low: UInt64(subject), kind: 3)
    }
}

extension Sealer {
    /// As `seal(_:context:key:into:)`, in an array of its own.
    public mutating func seal(_ plaintext: [UInt8], context: SealContext, key: SubjectKey) throws(SealFault) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: Sealer.sealedCount(plaintext.count))
        var result: Result<Void, SealFault> = .success(())
        plaintext.withUnsafeBytes { plaintext in
            output.withUnsafeMutableBytes { output in
                do throws(SealFault) {
                    _ = try seal(plaintext, context: context, key: key, into: output)
                } catch {
                    result = .failure(error)
                }
            }
        }
        try result.get()
        return output
    }

    /// Opens what was sealed with a subject's key.
    public static func open(_ sealed: [UInt8], context: SealContext, key: SubjectKey) throws(SealFault) -> [UInt8] {
        var result: Result<[UInt8], SealFault> = .success([])
        sealed.withUnsafeBytes { sealed in
            do throws(SealFault) {
                result = .success(try open(sealed, context: context, key: key))
            } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }
}
