<?php

declare(strict_types=1);

namespace Peyk;

/** Thrown by a transport: the request may have arrived, but its answer did not come whole. */
final class AnswerLost extends \RuntimeException
{
}
