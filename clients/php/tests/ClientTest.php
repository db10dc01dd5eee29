<?php

declare(strict_types=1);

namespace Peyk\Tests;

use Peyk\Client;
use Peyk\Codes;
use Peyk\CurlTransport;
use Peyk\Response;
use Peyk\StreamTransport;
use Peyk\Transport;
use Peyk\TransportException;
use PHPUnit\Framework\TestCase;

/** Answers the same each time, and keeps the bodies. */
final class Kept implements Transport
{
    /** @var string[] */
    public $bodies = [];

    /** @var string */
    private $answer;

    public function __construct(string $answer = '[0,10001]')
    {
        $this->answer = $answer;
    }

    public function post(string $url, array $headers, string $body, float $timeout): Response
    {
        $this->bodies[] = $body;
        return new Response(200, $this->answer);
    }
}

/** What is this client's own: addresses, times, names of codes, and real sockets on this machine. */
final class ClientTest extends TestCase
{
    public function testTheAddressIsTheBaseOrTheWhole(): void
    {
        $cases = [
            'http://h:1' => 'http://h:1/services.jspd',
            ' https://h/ ' => 'https://h/services.jspd',
            'http://h/services.jspd/' => 'http://h/services.jspd',
            'http://h/api/select' => 'http://h/api/select',
            'https://h/sms' => 'https://h/sms/services.jspd',
            'http://[::1]:80' => 'http://[::1]:80/services.jspd',
        ];
        foreach ($cases as $given => $wanted) {
            $this->assertSame($wanted, (new Client($given, 'u', 'p'))->url());
        }
    }

    /** @dataProvider noAddresses */
    public function testWhatIsNoAddressIsRefused(string $url): void
    {
        $this->expectException(\InvalidArgumentException::class);
        new Client($url, 'u', 'p');
    }

    public static function noAddresses(): array
    {
        $urls = ['', 'h:80', 'ftp://h', 'http://', 'file:///etc/passwd', 'http://u:p@h', 'http://h/?x=1', 'php://input'];
        return array_map(function (string $url): array {
            return [$url];
        }, $urls);
    }

    public function testASendNeedsALine(): void
    {
        $this->expectException(\InvalidArgumentException::class);
        (new Client('http://h', 'u', 'p', ['transport' => new Kept()]))->send('0912', 'a');
    }

    public function testAnApiKeyGoesInsteadOfUserAndPassword(): void
    {
        $kept = new Kept('10001');
        $client = Client::withKey('http://h', 'key-1', ['line' => '1', 'transport' => $kept]);
        $client->sendPattern('p', '0912', ['code' => 12]);
        $body = json_decode($kept->bodies[0], true);
        $this->assertSame('key-1', $body['apikey']);
        $this->assertSame('12', $body['inputData']['code']);
        $this->assertArrayNotHasKey('user', $body);
    }

    public function testThePasswordIsNotShown(): void
    {
        $client = new Client('http://h', 'u', 'secret');
        $this->assertStringNotContainsString('secret', print_r($client, true));
    }

    public function testTimesAreWrittenInTheTimeOfTehran(): void
    {
        $kept = new Kept();
        $client = new Client('http://h', 'u', 'p', ['line' => '1', 'transport' => $kept]);
        $client->send('0912', 'a', ['time' => new \DateTimeImmutable('2030-07-01T20:30:00Z')]);
        $client->send('0912', 'a', ['time' => '2030-01-01']);
        parse_str($kept->bodies[0], $first);
        parse_str($kept->bodies[1], $second);
        $this->assertSame('2030-07-02 00:00:00', $first['time']);
        $this->assertSame('2030-01-01', $second['time']);
        $this->assertNotSame($first['localid'], $second['localid'], 'two sends have two keys');
    }

    public function testEveryCodeOfTheServiceHasItsName(): void
    {
        $wanted = [];
        foreach (array_slice(file(__DIR__ . '/../../../crates/domain/data/refusals.tsv'), 1) as $line) {
            [$code, $name] = explode("\t", $line);
            $wanted[(int) $code] = $name;
        }
        unset($wanted[0]);
        $this->assertSame($wanted, Codes::NAMES);
    }

    public static function transports(): array
    {
        return ['curl' => [CurlTransport::class], 'streams' => [StreamTransport::class]];
    }

    private function transport(string $class): Transport
    {
        if ($class === CurlTransport::class && !extension_loaded('curl')) {
            $this->markTestSkipped('the extension curl is missing');
        }
        return new $class();
    }

    /** Asks for the credit of a server that gives these octets once; `silence` gives none. */
    private function ask(string $transport, string $answer, float $timeout = 10.0): float
    {
        $server = proc_open(
            [PHP_BINARY, __DIR__ . '/server.php', base64_encode($answer)],
            [1 => ['pipe', 'w']],
            $pipes
        );
        try {
            $url = trim((string) fgets($pipes[1]));
            $options = ['transport' => $this->transport($transport), 'retries' => 0, 'timeout' => $timeout];
            return (new Client($url, 'u', 'p', $options))->credit();
        } finally {
            proc_terminate($server);
            proc_close($server);
        }
    }

    private static function http(string $body, string $head = 'HTTP/1.1 200 OK'): string
    {
        return "$head\r\nContent-Length: " . strlen($body) . "\r\n\r\n$body";
    }

    private function assertLost(callable $call, bool $outcomeUnknown = true): TransportException
    {
        try {
            $call();
        } catch (TransportException $error) {
            $this->assertSame($outcomeUnknown, $error->isOutcomeUnknown(), $error->getMessage());
            return $error;
        }
        $this->fail('an answer came');
    }

    /** @dataProvider transports */
    public function testAnAnswerIsRead(string $class): void
    {
        $this->assertSame(12.0, $this->ask($class, self::http('[0,"12"]')));
        $chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n[0,\"\r\n4\r\n12\"]\r\n0\r\n\r\n";
        $this->assertSame(12.0, $this->ask($class, $chunked));
    }

    /** @dataProvider transports */
    public function testAnAnswerThatIsCutOffIsLost(string $class): void
    {
        $this->assertLost(function () use ($class): void {
            $this->ask($class, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[0,\"1");
        });
    }

    /** @dataProvider transports */
    public function testAConnectionThatClosesWithoutAnAnswerIsLost(string $class): void
    {
        $this->assertLost(function () use ($class): void {
            $this->ask($class, '');
        });
    }

    /** @dataProvider transports */
    public function testSilenceEndsWithTheTimeOut(string $class): void
    {
        $this->assertLost(function () use ($class): void {
            $this->ask($class, 'silence', 0.3);
        });
    }

    /** @dataProvider transports */
    public function testARedirectionIsNotFollowed(string $class): void
    {
        $error = $this->assertLost(function () use ($class): void {
            $this->ask($class, self::http('', "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/"));
        }, false);
        $this->assertStringContainsString('HTTP status 307', $error->getMessage());
    }

    /** @dataProvider transports */
    public function testAClosedPortIsToldApart(string $class): void
    {
        $probe = stream_socket_server('tcp://127.0.0.1:0');
        $address = stream_socket_get_name($probe, false);
        fclose($probe);
        $client = new Client("http://$address", 'u', 'p', [
            'line' => '1',
            'transport' => $this->transport($class),
            'sleep' => function (): void {
            },
        ]);
        $error = $this->assertLost(function () use ($client): void {
            $client->send('0912', 'a', ['local_id' => 'k']);
        }, false);
        $this->assertSame('k', $error->getLocalId());
    }
}
