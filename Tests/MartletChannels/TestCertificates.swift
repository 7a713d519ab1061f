/// A certificate authority and a certificate of `localhost` and 127.0.0.1 for the loopback tests, valid for a hundred years. The keys
/// guard nothing: they are here to be read.
enum TestCertificates {
    static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBmTCCAT+gAwIBAgIUfJgsDbeu9xjrKebrq+T+q6wO4bwwCgYIKoZIzj0EAwIw
        ITEfMB0GA1UEAwwWTWFydGxldCB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjIxOTAw
        NDdaGA8yMTI2MTAyOTE5MDA0N1owITEfMB0GA1UEAwwWTWFydGxldCB0ZXN0IGF1
        dGhvcml0eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABB8spr0/kywJiXwCASgf
        9PHI6VWv4xB0xbopamZ8rZe/IQUtU/yljQpDOc26UN7CnzCED2PgbT0abD8fUuoP
        Zs6jUzBRMB0GA1UdDgQWBBQUdcxjlg57P0jAKJMHxc/hbhzGLjAfBgNVHSMEGDAW
        gBQUdcxjlg57P0jAKJMHxc/hbhzGLjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49
        BAMCA0gAMEUCICueIHjxv2aw654Hnvyay3xNDEzoyhMUSJOHRL9/imU8AiEAtQ0z
        ZWkbfvPNVDDymdYAruat5GV1N+Q4EnXbVp/mt1Y=
        -----END CERTIFICATE-----
        """

    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBojCCAUigAwIBAgIUAJRvyIIcuk5DrQTiA03Gr01SH8QwCgYIKoZIzj0EAwIw
        ITEfMB0GA1UEAwwWTWFydGxldCB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjIxOTAw
        NDdaGA8yMTI2MTAyOTE5MDA0N1owFDESMBAGA1UEAwwJc21zYy50ZXN0MFkwEwYH
        KoZIzj0CAQYIKoZIzj0DAQcDQgAESJntAgKbBvonx3b37bkLUiWCowN2bUkqxkzq
        Kv0zcUWhyF3nYl8W3732loqF5BJpK4Wp8U6iCV/Ds2URdWLU5aNpMGcwGgYDVR0R
        BBMwEYIJbG9jYWxob3N0hwR/AAABMAkGA1UdEwQCMAAwHQYDVR0OBBYEFMeiX6JY
        q5wvH1XnmvArQa8P8o4iMB8GA1UdIwQYMBaAFBR1zGOWDns/SMAokwfFz+FuHMYu
        MAoGCCqGSM49BAMCA0gAMEUCIQDFOPS3BUpATkLQxYgSRB+i9swm0nUWdPbYfdIg
        9v8ZzAIgHEwPUrG9m/Xk1/Z5ygR+r4RRCb3W2ElD+O35HTbtSg4=
        -----END CERTIFICATE-----
        """

    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgnumTE1omJ0lLIUCD
        dtztBpUZT0vzgTj/CSboxIqk3qGhRANCAARIme0CApsG+ifHdvftuQtSJYKjA3Zt
        SSrGTOoq/TNxRaHIXediXxbfvfaWioXkEmkrhanxTqIJX8OzZRF1YtTl
        -----END PRIVATE KEY-----
        """
}
