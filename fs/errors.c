/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * errors.c - what an error of the library is to a program and to a shell
 */
#include "mount.h"

#include <errno.h>
#include <sysexits.h>

int
errno_of (const GError *error)
{
  if (error->domain != RACK_ERROR)
    return EIO;
  switch ((RackError) error->code)
    {
    case RACK_ERROR_NETWORK:
    case RACK_ERROR_CLOSED:
      return EHOSTUNREACH;
    case RACK_ERROR_TIMEOUT:
      return ETIMEDOUT;
    case RACK_ERROR_CANCELLED:
      return EINTR;
    case RACK_ERROR_NOT_FOUND:
      return ENOENT;
    case RACK_ERROR_STALE:
      return ESTALE;
    case RACK_ERROR_AUTH:
    case RACK_ERROR_INTERACTION:
    case RACK_ERROR_REFUSED:
    case RACK_ERROR_DENIED:
      return EACCES;
    case RACK_ERROR_READ_ONLY:
      return EROFS;
    case RACK_ERROR_QUOTA:
      return EDQUOT;
    case RACK_ERROR_BUSY:
      return EBUSY;
    case RACK_ERROR_UNAVAILABLE:
      return EAGAIN;
    case RACK_ERROR_EXISTS:
      return EEXIST;
    case RACK_ERROR_TOO_LARGE:
      return EFBIG;
    case RACK_ERROR_INVALID:
      return EINVAL;
    case RACK_ERROR_UNSUPPORTED:
      return ENOTSUP;
    case RACK_ERROR_CONFIG:
    case RACK_ERROR_PLUGIN:
    case RACK_ERROR_TLS:
    case RACK_ERROR_PROTOCOL:
    case RACK_ERROR_UNKNOWN_OUTCOME:
    case RACK_ERROR_SERVER:
    case RACK_ERROR_IO:
      return EIO;
    }
  return EIO;
}

int
exit_status_of (const GError *error)
{
  if (error->domain != RACK_ERROR)
    return EX_SOFTWARE;
  switch ((RackError) error->code)
    {
    case RACK_ERROR_CONFIG:
    case RACK_ERROR_PLUGIN:
    case RACK_ERROR_INVALID:
      return EX_CONFIG;
    case RACK_ERROR_NETWORK:
    case RACK_ERROR_NOT_FOUND:
    case RACK_ERROR_UNSUPPORTED:
    case RACK_ERROR_SERVER:
      return EX_UNAVAILABLE;
    case RACK_ERROR_AUTH:
    case RACK_ERROR_INTERACTION:
    case RACK_ERROR_REFUSED:
    case RACK_ERROR_READ_ONLY:
    case RACK_ERROR_DENIED:
      return EX_NOPERM;
    case RACK_ERROR_TLS:
    case RACK_ERROR_PROTOCOL:
    case RACK_ERROR_STALE:
    case RACK_ERROR_EXISTS:
    case RACK_ERROR_TOO_LARGE:
      return EX_PROTOCOL;
    case RACK_ERROR_CLOSED:
    case RACK_ERROR_TIMEOUT:
    case RACK_ERROR_CANCELLED:
    case RACK_ERROR_QUOTA:
    case RACK_ERROR_UNKNOWN_OUTCOME:
    case RACK_ERROR_BUSY:
    case RACK_ERROR_UNAVAILABLE:
      return EX_TEMPFAIL;
    case RACK_ERROR_IO:
      return EX_IOERR;
    }
  return EX_SOFTWARE;
}
