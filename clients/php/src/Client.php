<?php

declare(strict_types=1);

namespace Peyk;

/**
 * A client of one account of a peyk service: one method for each operation. Every method may throw a
 * PeykException.
 *
 * The options of sends:
 *  - `line`: the line to send from;
 *  - `time`: send later, a DateTimeInterface or text `YYYY-MM-DD HH:MM:SS` in Tehran's time;
 *  - `local_id`: a name for this send; the same name within 24 hours sends nothing and gives the first
 *    bulk id. Without one a new one is made, so that the attempts of one call send once.
 */
final class Client
{
    private const PATHS = ['/services.jspd', '/api/select'];
    private const USER_AGENT = 'peyk-php/1.0';

    /** Answers of servers on the way that say nothing of what became of the request. */
    private const PASSING_STATUSES = [502, 503, 504];

    private const PAUSE_SECONDS = 0.25;
    private const PAUSE_SECONDS_MAX = 5.0;
    private const JSON = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR;

    /** @var string */
    private $url;

    /** @var array<string, string> */
    private $login;

    /** @var string|null */
    private $line;

    /** @var float */
    private $timeout;

    /** @var int */
    private $retries;

    /** @var Transport */
    private $transport;

    /** @var callable(float): void */
    private $sleep;

    /**
     * @param string $url     such as `http://127.0.0.1:8080`; the address that ends in `/services.jspd` does as well
     * @param array  $options `line`: to send from when a send names none; `timeout`: seconds that one attempt may
     *                        take (10); `retries`: attempts after the first (2), only of what cannot be done twice
     *                        by it; `transport` and `sleep`: for tests
     */
    public function __construct(
        string $url,
        string $username,
        #[\SensitiveParameter]
        string $password,
        array $options = []
    ) {
        $this->url = self::endpoint($url);
        $this->login = ['uname' => $username, 'pass' => $password];
        $this->line = isset($options['line']) ? (string) $options['line'] : null;
        $this->timeout = (float) ($options['timeout'] ?? 10.0);
        $this->retries = (int) ($options['retries'] ?? 2);
        $this->transport = $options['transport']
            ?? (extension_loaded('curl') ? new CurlTransport() : new StreamTransport());
        $this->sleep = $options['sleep'] ?? function (float $seconds): void {
            usleep((int) ($seconds * 1e6));
        };
    }

    /** A client that logs in with an API key, with the same options. */
    public static function withKey(
        string $url,
        #[\SensitiveParameter]
        string $apiKey,
        array $options = []
    ): self {
        $client = new self($url, '', '', $options);
        $client->login = ['apikey' => $apiKey];
        return $client;
    }

    /** What var_dump and print_r show: the password must not end in a log. */
    public function __debugInfo(): array
    {
        return ['url' => $this->url, 'line' => $this->line];
    }

    public function url(): string
    {
        return $this->url;
    }

    // Sending

    /**
     * Sends one text to one or many numbers. Gives the bulk id, once the service has it on disk.
     *
     * @param string|int|iterable<string|int> $to
     */
    public function send($to, string $text, array $options = []): int
    {
        // With commas and not as an array, beside which a text such as ["a"] would be read as many.
        $fields = ['to' => implode(',', self::numbers($to)), 'message' => $text];
        return $this->deliver('send', $fields, $options, true);
    }

    /**
     * Sends each number its own text.
     *
     * @param iterable<array{0: string|int, 1: string}> $messages pairs of number and text
     */
    public function sendEach(iterable $messages, array $options = []): int
    {
        $to = [];
        $texts = [];
        foreach ($messages as [$number, $text]) {
            $to[] = (string) $number;
            $texts[] = $text;
        }
        $fields = ['to' => json_encode($to, self::JSON), 'message' => json_encode($texts, self::JSON)];
        return $this->deliver('send', $fields, $options, true);
    }

    /**
     * Sends the text of a pattern with values for its variables.
     *
     * @param string|int|iterable<string|int>      $to
     * @param array<string, string|int|float|bool> $values
     */
    public function sendPattern(string $code, $to, array $values, array $options = []): int
    {
        $numbers = self::numbers($to);
        $localId = $options['local_id'] ?? self::newLocalId();
        $login = $this->login;
        if (isset($login['uname'])) {
            $login = ['user' => $login['uname'], 'pass' => $login['pass']];
        }
        $body = json_encode($login + [
            'op' => 'pattern',
            'fromNum' => $this->lineOf($options),
            'toNum' => count($numbers) === 1 ? $numbers[0] : $numbers,
            'patternCode' => $code,
            'inputData' => (object) array_map('strval', $values),
            'localid' => $localId,
        ], self::JSON);
        return Answers::bareNumber($this->exchange($body, 'application/json', true, $localId));
    }

    // What became of it

    /**
     * Each recipient of a bulk with its state, in the order sent. An unknown bulk: ApiException 456.
     *
     * @return array<int, array{number: string, status: string}>
     */
    public function delivery(int $bulkId): array
    {
        $body = $this->ask('delivery', ['uinqid' => $bulkId]);
        $items = Answers::inner($body);
        if ($items === null) {
            throw new ApiException(Answers::BULK_UNKNOWN);
        }
        if (!Answers::isList($items)) {
            throw new ProtocolException('a list', $body);
        }
        return array_map(function ($item) use ($body): array {
            if (!is_string($item) || !preg_match('/^(.*):([^:]*)$/sD', $item, $found)) {
                throw new ProtocolException('number:state', $body);
            }
            return ['number' => $found[1], 'status' => $found[2]];
        }, $items);
    }

    /**
     * The state of a whole bulk: `status` such as `Finish`; `approval`: `approve`, `notconfirm` (its text
     * waits for approval) or `cancel`.
     *
     * @return array{status: string, approval: string}
     */
    public function check(int $bulkId): array
    {
        $body = $this->ask('checkmessage', ['messageid' => $bulkId]);
        $value = Answers::decoded($body);
        Answers::refuse($value);
        return [
            'status' => Answers::field($value, 'statusMessage', $body),
            'approval' => Answers::field($value, 'validMessage', $body),
        ];
    }

    /** Cancels what has not left yet; its price is given back. Nothing to cancel: ApiException 456. */
    public function cancel(int $bulkId): void
    {
        try {
            Answers::data($this->act('deleteperiod', ['bulkid' => $bulkId]));
        } catch (ApiException $answer) {
            if ($answer->getCode() !== Answers::BULK_CANCELLED) {
                throw $answer;
            }
        }
    }

    // The account

    /** What can be spent, in rials. */
    public function credit(): float
    {
        $body = $this->ask('credit');
        $words = Answers::text($body);
        if (!is_numeric($words)) {
            throw new ProtocolException('an amount', $body);
        }
        return (float) $words;
    }

    /** @return array<int, array{number: string, can_send: bool, can_receive: bool}> */
    public function lines(): array
    {
        $body = $this->ask('lines');
        return array_map(function (array $row) use ($body): array {
            return [
                'number' => Answers::field($row, 'number', $body),
                'can_send' => (string) ($row['send'] ?? '') === '1',
                'can_receive' => (string) ($row['gets'] ?? '') === '1',
            ];
        }, Answers::rows($body));
    }

    /** When the account ends. */
    public function expiresAt(): \DateTimeImmutable
    {
        $body = $this->ask('usertime');
        return Answers::moment(Answers::text($body), $body);
    }

    // Phonebooks

    /** @return array<int, array{id: int, title: string}> */
    public function books(): array
    {
        return self::entries($this->ask('booklist'));
    }

    /**
     * A page of the phonebooks, from 1.
     *
     * @return array<int, array{id: int, title: string}>
     */
    public function booksPage(int $page): array
    {
        $body = $this->ask('booklistV2', ['page' => $page]);
        $books = Answers::envelope($body)['phoneBook'] ?? [];
        if (!Answers::isList($books)) {
            throw new ProtocolException('a list', $body);
        }
        return array_map(function ($book) use ($body): array {
            return [
                'id' => Answers::whole($book, 'phoneBookId', $body),
                'title' => Answers::field($book, 'title', $body),
            ];
        }, $books);
    }

    /** @return string[] the numbers of a phonebook, as `+98` and ten digits */
    public function contacts(int $bookId): array
    {
        $body = $this->ask('booknumberlist', ['phonebook_id' => $bookId]);
        $value = Answers::decoded($body);
        // Numbers begin with a plus, so that none of them is taken for a code.
        Answers::refuse($value);
        if (!Answers::isList($value)) {
            throw new ProtocolException('a list', $body);
        }
        return array_map('strval', $value);
    }

    /**
     * Adds a number to a phonebook. There already: ApiException 101; no number: 100.
     *
     * @param string|int $number
     */
    public function addContact(int $bookId, $number, ?string $name = null): void
    {
        $fields = ['phoneBookId' => $bookId, 'number' => $number];
        if ($name !== null) {
            $fields['name'] = $name;
        }
        Answers::envelope($this->act('phoneBookAdd', $fields), [0, Answers::CONTACT_SAVED]);
    }

    /**
     * Sends a text to every number of some phonebooks.
     *
     * @param int[] $bookIds
     */
    public function sendToBooks(array $bookIds, string $text, array $options = []): int
    {
        $fields = ['bookid' => json_encode(array_values($bookIds), self::JSON), 'message' => $text];
        return $this->deliver('booksend', $fields, $options, true);
    }

    // Inbound messages and patterns

    /**
     * The unread messages. This call marks them as read, so it is never tried again by itself.
     *
     * @return array<int, array{text: string, sender: string, line: string, time: \DateTimeImmutable}>
     */
    public function inbox(): array
    {
        $body = $this->act('inboxlist');
        return array_map(function (array $row) use ($body): array {
            return [
                'text' => Answers::field($row, 'message', $body),
                'sender' => Answers::field($row, 'from', $body),
                'line' => Answers::field($row, 'to', $body),
                'time' => Answers::moment(Answers::field($row, 'time', $body), $body),
            ];
        }, Answers::rows($body));
    }

    /**
     * The text of a pattern, with `%name%` for variables, and their names.
     *
     * @return array{text: string, variables: string[]}
     */
    public function patternInfo(string $code): array
    {
        $body = $this->ask('patternInfo', ['patternCode' => $code]);
        $found = Answers::envelope($body);
        $variables = $found['patternParams'] ?? [];
        if (!Answers::isList($variables)) {
            throw new ProtocolException('a list', $body);
        }
        return [
            'text' => Answers::field($found, 'patternMessage', $body),
            'variables' => array_map('strval', $variables),
        ];
    }

    // Postal codes and jobs

    /** @return array<int, array{id: string, title: string}> first digits of postal codes, and names */
    public function postalAreas(): array
    {
        $body = $this->ask('postalcodearea');
        return array_map(function (array $row) use ($body): array {
            return ['id' => Answers::field($row, 'id', $body), 'title' => Answers::field($row, 'title', $body)];
        }, Answers::rows($body));
    }

    /**
     * How many numbers live where postal codes begin with `$prefix` (2 to 10 digits).
     *
     * @param string $operator `tci` (MCI) or `mtn` (Irancell)
     * @param int    $gender   0 both, 1 men, 2 women
     */
    public function postalCount(string $prefix, string $operator, int $gender = 0): int
    {
        $fields = ['type' => $operator, 'gender' => $gender, 'postalcode' => $prefix];
        return Answers::number($this->ask('postalcodecount', $fields));
    }

    /** Sends a text to those whom `postalCount` counts; the option `gender` is one more. */
    public function sendToPostal(string $prefix, string $operator, string $text, array $options = []): int
    {
        $fields = ['type' => $operator, 'gender' => (int) ($options['gender'] ?? 0)];
        $fields += ['postalcode' => $prefix, 'message' => $text];
        return $this->deliver('postalcodesend', $fields, $options);
    }

    /** @return array<int, array{id: int, title: string}> */
    public function jobs(): array
    {
        return self::entries($this->ask('jobslist'));
    }

    /**
     * The trends of one job, or of all.
     *
     * @return array<int, array{id: int, title: string, job_id: int|null}>
     */
    public function jobTrends(?int $jobId = null): array
    {
        $body = $this->ask('jobstrendlist', $jobId === null ? [] : ['jobsid' => $jobId]);
        return array_map(function (array $row) use ($body): array {
            return [
                'id' => Answers::whole($row, 'id', $body),
                'title' => Answers::field($row, 'title', $body),
                'job_id' => isset($row['jobsid']) ? Answers::whole($row, 'jobsid', $body) : null,
            ];
        }, Answers::rows($body));
    }

    /**
     * How many different numbers are in some trends.
     *
     * @param int[] $trendIds
     */
    public function jobsCount(array $trendIds): int
    {
        $fields = ['trendid' => json_encode(array_values($trendIds), self::JSON)];
        return Answers::number($this->ask('jobscount', $fields));
    }

    /**
     * Sends a text to the numbers of some trends of a job.
     *
     * @param int[] $trendIds
     */
    public function sendToJobs(int $jobId, array $trendIds, string $text, array $options = []): int
    {
        $fields = ['jobsid' => $jobId, 'trendid' => json_encode(array_values($trendIds), self::JSON)];
        $fields['message'] = $text;
        return $this->deliver('jobssend', $fields, $options);
    }

    // Resellers and tickets

    /** @return array<int, array{id: int, title: string}> the packages that this reseller may hand out */
    public function packages(): array
    {
        return self::entries($this->ask('accesslist'));
    }

    /**
     * Opens an account under this reseller. Gives its id.
     *
     * @param array<string, string|int> $account `username`, `password`, `name`, `access_id` (one of
     *                                           `packages()`), `national_id`, `certificate_id`, `mobile`,
     *                                           `telephone`, `email`, `address`, and perhaps `company` and
     *                                           `postal_code`
     */
    public function createAccount(array $account): int
    {
        $names = [
            'username' => 'user_uname',
            'password' => 'user_pass',
            'telephone' => 'tell',
            'postal_code' => 'postalcode',
        ];
        $fields = ['company' => '', 'postalcode' => ''];
        foreach ($account as $name => $value) {
            $fields[$names[$name] ?? $name] = $value;
        }
        return Answers::number($this->act('newuser', $fields));
    }

    /**
     * Opens a ticket. Gives its id. Options: `type` (`fiscal`, `webservice`, `problem`, `lineservices`),
     * `importance` (`low`, `middle`, `quick`, `acute`), `notify_by_sms`, `file`.
     */
    public function createTicket(string $subject, string $description, array $options = []): int
    {
        $fields = [
            'subject' => $subject,
            'description' => $description,
            'type' => $options['type'] ?? 'webservice',
            'importance' => $options['importance'] ?? 'middle',
            'sms_notification' => empty($options['notify_by_sms']) ? 'no' : 'yes',
        ];
        if (isset($options['file'])) {
            $fields['file'] = $options['file'];
        }
        return Answers::number($this->act('ticketadd', $fields));
    }

    // The way there and back

    private function lineOf(array $options): string
    {
        $line = $options['line'] ?? $this->line;
        if ($line === null) {
            throw new \InvalidArgumentException(
                'no line to send from: give the option `line` to the client or to the send'
            );
        }
        return (string) $line;
    }

    private function deliver(string $op, array $fields, array $options, bool $again = false): int
    {
        $localId = (string) ($options['local_id'] ?? self::newLocalId());
        $fields = ['from' => $this->lineOf($options)] + $fields + ['localid' => $localId];
        if (isset($options['time'])) {
            $fields['time'] = self::inTehran($options['time']);
        }
        return Answers::number($this->call($op, $fields, $again, $localId));
    }

    /** A call that changes nothing, so that it may be repeated. */
    private function ask(string $op, array $fields = []): string
    {
        return $this->call($op, $fields, true);
    }

    /** A call that must not be carried out twice. */
    private function act(string $op, array $fields = []): string
    {
        return $this->call($op, $fields, false);
    }

    private function call(string $op, array $fields, bool $again, ?string $localId = null): string
    {
        $form = array_map('strval', $this->login + ['op' => $op] + $fields);
        $body = http_build_query($form, '', '&');
        return $this->exchange($body, 'application/x-www-form-urlencoded', $again, $localId);
    }

    /** The answer's body. `$again` says whether a request that may have arrived is repeated. */
    private function exchange(string $body, string $kind, bool $again, ?string $localId): string
    {
        $headers = ["Content-Type: $kind; charset=UTF-8", 'User-Agent: ' . self::USER_AGENT];
        $arrived = false;
        for ($attempt = 0; ; $attempt++) {
            $asked = null;
            $cause = null;
            try {
                $answer = $this->transport->post($this->url, $headers, $body, $this->timeout);
                if ($answer->status === 200) {
                    return $answer->body;
                }
                $passing = in_array($answer->status, self::PASSING_STATUSES, true);
                $arrived = $arrived || $passing;
                $may = $passing && $again;
                $asked = $answer->retryAfter;
                $why = "{$this->url} answers with HTTP status {$answer->status}";
            } catch (NotSent $error) {
                [$may, $why, $cause] = [true, $error->getMessage(), $error];
            } catch (AnswerLost $error) {
                [$arrived, $may, $why, $cause] = [true, $again, $error->getMessage(), $error];
            }
            if (!$may || $attempt >= $this->retries) {
                throw new TransportException($why, $arrived, $localId, $cause);
            }
            ($this->sleep)(self::pause($attempt, $asked));
        }
    }

    /** Seconds before the next attempt; spread, so that many clients do not come back at once. */
    private static function pause(int $attempt, ?float $asked): float
    {
        $spread = random_int(500, 1500) / 1000;
        return min($asked ?? self::PAUSE_SECONDS * 2 ** $attempt * $spread, self::PAUSE_SECONDS_MAX);
    }

    private static function endpoint(string $text): string
    {
        $parts = parse_url(trim($text));
        $scheme = strtolower($parts['scheme'] ?? '');
        if (!in_array($scheme, ['http', 'https'], true) || ($parts['host'] ?? '') === '') {
            throw new \InvalidArgumentException("not the address of a web service: $text");
        }
        if (isset($parts['user']) || isset($parts['pass']) || isset($parts['query']) || isset($parts['fragment'])) {
            throw new \InvalidArgumentException('the address has no user name, query or fragment in it');
        }
        $path = rtrim($parts['path'] ?? '', '/');
        $isWhole = false;
        foreach (self::PATHS as $known) {
            $isWhole = $isWhole || substr($path, -strlen($known)) === $known;
        }
        $port = isset($parts['port']) ? ":{$parts['port']}" : '';
        return "$scheme://{$parts['host']}$port" . ($isWhole ? $path : $path . self::PATHS[0]);
    }

    /**
     * @param string|int|iterable<string|int> $to
     *
     * @return string[]
     */
    private static function numbers($to): array
    {
        $numbers = [];
        foreach (is_iterable($to) ? $to : [$to] as $number) {
            $numbers[] = (string) $number;
        }
        return $numbers;
    }

    /** @param \DateTimeInterface|string $time */
    private static function inTehran($time): string
    {
        if (!$time instanceof \DateTimeInterface) {
            return (string) $time;
        }
        $moment = (new \DateTimeImmutable('@' . $time->getTimestamp()))
            ->setTimezone(new \DateTimeZone(Answers::TEHRAN));
        return $moment->format('Y-m-d H:i:s');
    }

    /** @return array<int, array{id: int, title: string}> */
    private static function entries(string $body): array
    {
        return array_map(function (array $row) use ($body): array {
            return ['id' => Answers::whole($row, 'id', $body), 'title' => Answers::field($row, 'title', $body)];
        }, Answers::rows($body));
    }

    private static function newLocalId(): string
    {
        return bin2hex(random_bytes(16));
    }
}
