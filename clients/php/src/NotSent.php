<?php

declare(strict_types=1);

namespace Peyk;

/** Thrown by a transport: the request never left, nothing was done. */
final class NotSent extends \RuntimeException
{
}
